package plan

import (
	"fmt"
	"path"
	"strings"
	"unicode"

	"waybill/downloader/internal/fault"
)

// StateFolder is the downloader's own folder inside the output folder; no file may be named into it.
const StateFolder = ".downloader"

const longestName = 255 // bytes, NAME_MAX on Linux

// CheckPath refuses a name from a server that is absolute, has "..", empty or overlong parts, backslashes or
// control characters, or lies in the state folder. Symbolic links are the folder's business (store).
func CheckPath(name string) error {
	if why := whyRefused(name); why != "" {
		return &fault.Error{Kind: fault.Integrity, What: fmt.Sprintf("refused the file name %q", name), Where: why}
	}
	return nil
}

func whyRefused(name string) string {
	switch {
	case name == "" || name == ".":
		return "it is empty"
	case strings.HasPrefix(name, "/"):
		return "it is absolute"
	case strings.Contains(name, `\`):
		return "it has a backslash"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "it has control characters"
	}
	parts := strings.Split(name, "/")
	if parts[0] == StateFolder {
		return StateFolder + " is the downloader's own folder"
	}
	for _, part := range parts {
		if part == ".." {
			return `it has ".."`
		}
		if len(part) > longestName {
			return "a part of it is longer than 255 bytes"
		}
	}
	if path.Clean(name) != name {
		return "it is not in its shortest form"
	}
	return ""
}
