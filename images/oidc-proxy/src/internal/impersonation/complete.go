package impersonation

import (
	"maps"
	"slices"
	"strings"
)

const (
	authenticated   = "system:authenticated"
	unauthenticated = "system:unauthenticated"
	anonymous       = "system:anonymous"
	accountPrefix   = "system:serviceaccount:"
	accounts        = "system:serviceaccounts"

	// The keys kube-oidc-proxy records the asking user under; audit policies and RBAC rules know them.
	originalUser   = "originaluser.jetstack.io-user"
	originalGroups = "originaluser.jetstack.io-groups"
	recordPrefix   = "originaluser.jetstack.io-"
)

// Complete adds the groups the API server itself would add, had the user come to it directly.
func (i Identity) Complete() Identity {
	i.Groups = slices.Clone(i.Groups)
	if namespace, _, ok := serviceAccount(i.User); ok && len(i.Groups) == 0 {
		i.Groups = append(i.Groups, accounts, accounts+":"+namespace)
	}
	own := authenticated
	if i.User == anonymous {
		own = unauthenticated
	}
	if !slices.Contains(i.Groups, own) {
		i.Groups = append(i.Groups, own)
	}
	return i
}

// With adds extra values, after those already there.
func (i Identity) With(extra map[string][]string) Identity {
	merged := maps.Clone(i.Extra)
	if merged == nil {
		merged = map[string][]string{}
	}
	for key, values := range extra {
		merged[key] = append(slices.Clone(merged[key]), values...)
	}
	i.Extra = merged
	return i
}

// Record gives the extra values that say who asked to be somebody else.
func Record(user string, groups []string) map[string][]string {
	record := map[string][]string{originalUser: {user}}
	if len(groups) > 0 {
		record[originalGroups] = groups
	}
	return record
}

func isRecord(key string) bool { return strings.HasPrefix(strings.ToLower(key), recordPrefix) }

// serviceAccount splits system:serviceaccount:NAMESPACE:NAME.
func serviceAccount(user string) (namespace, name string, ok bool) {
	rest, ok := strings.CutPrefix(user, accountPrefix)
	if !ok {
		return "", "", false
	}
	namespace, name, ok = strings.Cut(rest, ":")
	return namespace, name, ok && namespace != "" && name != "" && !strings.Contains(name, ":")
}
