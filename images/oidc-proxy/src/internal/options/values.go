package options

import (
	"fmt"
	"strings"
)

// list is a flag of values by commas; given again it adds to them.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(text string) error {
	for value := range strings.SplitSeq(text, ",") {
		if value = strings.TrimSpace(value); value != "" {
			*l = append(*l, value)
		}
	}
	return nil
}

// pairs is a flag of key=value, one value a key.
type pairs struct{ into *map[string]string }

func (pairs) String() string { return "" }

func (p pairs) Set(text string) error {
	return eachPair(text, func(key, value string) error {
		if *p.into == nil {
			*p.into = map[string]string{}
		}
		if old, given := (*p.into)[key]; given && old != value {
			return fmt.Errorf("%s is given twice, with %q and %q", key, old, value)
		}
		(*p.into)[key] = value
		return nil
	})
}

// multi is a flag of key=value, many values a key; keys are lower-cased as the API server does.
type multi struct{ into *map[string][]string }

func (multi) String() string { return "" }

func (m multi) Set(text string) error {
	return eachPair(text, func(key, value string) error {
		if *m.into == nil {
			*m.into = map[string][]string{}
		}
		key = strings.ToLower(key)
		(*m.into)[key] = append((*m.into)[key], value)
		return nil
	})
}

func eachPair(text string, take func(key, value string) error) error {
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(part, "=")
		if key = strings.TrimSpace(key); !ok || key == "" {
			return fmt.Errorf("%q is no key=value", part)
		}
		if err := take(key, value); err != nil {
			return err
		}
	}
	return nil
}
