package images

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

// Rules are the file --images.
type Rules struct {
	// Mirrors take the place of registries, or of folders in them.
	Mirrors []Mirror `json:"mirrors"`
	// Digests of references with their tags, spelt out (docker.io/library/nginx:1.29) or as people write them (nginx:1.29).
	Digests map[string]string `json:"digests"`
}

// Mirror has the images of From below To.
type Mirror struct {
	From string `json:"from"`
	To   string `json:"to"`
}

var digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$|^sha512:[0-9a-f]{128}$`)

// Parse reads the file, YAML or JSON, and refuses what it doesn't know: a typo would leave images unpinned in silence.
func Parse(text []byte) (*Rules, error) {
	asJSON, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, err
	}
	rules := &Rules{}
	decoder := json.NewDecoder(bytes.NewReader(asJSON))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(rules); err != nil {
		return nil, err
	}
	return rules, rules.normalise()
}

func (r *Rules) normalise() error {
	for index := range r.Mirrors {
		mirror := &r.Mirrors[index]
		mirror.From, mirror.To = strings.Trim(mirror.From, "/"), strings.Trim(mirror.To, "/")
		if mirror.From == "" || mirror.To == "" {
			return fmt.Errorf("mirrors[%d] needs from and to", index)
		}
	}
	spelt := make(map[string]string, len(r.Digests))
	for name, value := range r.Digests {
		if !digest.MatchString(value) {
			return fmt.Errorf("digests: %s has no digest, but %q", name, value)
		}
		spelt[parse(name).tagged()] = value
	}
	r.Digests = spelt
	return nil
}

// Rewrite gives the reference as a pod should have it. One that no rule is about stays as it is written.
func (r *Rules) Rewrite(text string) string {
	parsed := parse(text)
	known, pinned := r.Digests[parsed.tagged()]
	pinned = pinned && parsed.digest == ""
	if pinned {
		parsed.digest = known
	}
	mirrored := r.mirror(&parsed)
	if !pinned && !mirrored {
		return text
	}
	return parsed.String()
}

// mirror goes by the longest From that holds the name.
func (r *Rules) mirror(parsed *reference) bool {
	longest := Mirror{}
	for _, mirror := range r.Mirrors {
		if strings.HasPrefix(parsed.name, mirror.From+"/") && len(mirror.From) > len(longest.From) {
			longest = mirror
		}
	}
	if longest.From == "" || strings.HasPrefix(parsed.name, longest.To+"/") {
		return false
	}
	parsed.name = longest.To + strings.TrimPrefix(parsed.name, longest.From)
	return true
}
