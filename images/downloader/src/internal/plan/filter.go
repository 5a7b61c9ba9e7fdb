package plan

import (
	"path"
	"strings"

	"waybill/downloader/internal/fault"
)

// Filter keeps a file when an include pattern matches (or there is none) and no exclude pattern does.
// "*" and "?" stay within a folder, "**" crosses folders, a pattern without "/" matches the base name anywhere.
type Filter struct {
	Include []string
	Exclude []string
}

// Check says which pattern is malformed.
func (f Filter) Check() error {
	for _, pattern := range append(append([]string{}, f.Include...), f.Exclude...) {
		for part := range strings.SplitSeq(pattern, "/") {
			if _, err := path.Match(part, ""); err != nil {
				return fault.Usagef(`close the "[", or escape it as "\["`, "bad pattern %q", pattern)
			}
		}
	}
	return nil
}

// Apply gives the files that stay, in their order.
func (f Filter) Apply(files []File) []File {
	var kept []File
	for _, file := range files {
		if (len(f.Include) == 0 || anyMatch(f.Include, file.Path)) && !anyMatch(f.Exclude, file.Path) {
			kept = append(kept, file)
		}
	}
	return kept
}

func anyMatch(patterns []string, name string) bool {
	for _, pattern := range patterns {
		subject := name
		if !strings.Contains(pattern, "/") {
			subject = path.Base(name)
		}
		if matchParts(strings.Split(pattern, "/"), strings.Split(subject, "/")) {
			return true
		}
	}
	return false
}

func matchParts(pattern, name []string) bool {
	if len(pattern) == 0 {
		return len(name) == 0
	}
	if pattern[0] == "**" {
		for skip := 0; skip <= len(name); skip++ {
			if matchParts(pattern[1:], name[skip:]) {
				return true
			}
		}
		return false
	}
	if len(name) == 0 {
		return false
	}
	ok, _ := path.Match(pattern[0], name[0])
	return ok && matchParts(pattern[1:], name[1:])
}
