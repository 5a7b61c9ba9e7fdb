package check

import "strings"

// Serves tells whether models allow a model: by its name, by openai/* for all of a provider, by * for all.
func Serves(models []string, model string) bool {
	for _, allowed := range models {
		if allowed == "*" || allowed == model {
			return true
		}
		if prefix, all := strings.CutSuffix(allowed, "/*"); all && strings.HasPrefix(model, prefix+"/") {
			return true
		}
	}
	return false
}
