package admit

import (
	"encoding/json"
	"strings"
)

// Patch collects the changes to an object.
type Patch []operation

// operation of a JSON patch (RFC 6902).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// Add sets what isn't there, or replaces what is.
func (p *Patch) Add(value any, path ...string) {
	pointer := ""
	for _, part := range path {
		pointer += "/" + escape.Replace(part)
	}
	*p = append(*p, operation{Op: "add", Path: pointer, Value: value})
}

// escape is RFC 6901's, section 3.
var escape = strings.NewReplacer("~", "~0", "/", "~1")

// JSON is nil where nothing changes.
func (p Patch) JSON() ([]byte, error) {
	if len(p) == 0 {
		return nil, nil
	}
	return json.Marshal(p)
}
