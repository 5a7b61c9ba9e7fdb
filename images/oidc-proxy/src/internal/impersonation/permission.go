package impersonation

import (
	"fmt"
	"maps"
	"slices"
)

// Permission is one thing the asking user must be allowed to impersonate, as the API server asks about it.
type Permission struct {
	APIGroup    string
	Resource    string
	Subresource string
	Namespace   string
	Name        string
	// What names it for people: user 'bob'.
	What string
}

const authenticationGroup = "authentication.k8s.io"

// Permissions are what the asking user needs, all of them.
func (i Identity) Permissions() []Permission {
	needed := []Permission{userPermission(i.User)}
	for _, group := range i.Groups {
		needed = append(needed, Permission{Resource: "groups", Name: group, What: fmt.Sprintf("group '%s'", group)})
	}
	if i.UID != "" {
		what := fmt.Sprintf("uid '%s'", i.UID)
		needed = append(needed, Permission{APIGroup: authenticationGroup, Resource: "uids", Name: i.UID, What: what})
	}
	for _, key := range slices.Sorted(maps.Keys(i.Extra)) {
		for _, value := range i.Extra[key] {
			needed = append(needed, Permission{
				APIGroup:    authenticationGroup,
				Resource:    "userextras",
				Subresource: key,
				Name:        value,
				What:        fmt.Sprintf("extra info '%s'='%s'", key, value),
			})
		}
	}
	return needed
}

func userPermission(user string) Permission {
	what := fmt.Sprintf("user '%s'", user)
	if namespace, name, ok := serviceAccount(user); ok {
		return Permission{Resource: "serviceaccounts", Namespace: namespace, Name: name, What: what}
	}
	return Permission{Resource: "users", Name: user, What: what}
}
