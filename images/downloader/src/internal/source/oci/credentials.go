package oci

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"waybill/downloader/internal/fault"
)

// Credentials is what a Docker config file knows: registry (with or without a path) to login.
type Credentials struct {
	logins map[string]login
	helper string // a credential helper the file relies on, which can't be run here
}

type login struct {
	Auth          string `json:"auth"` // base64 of user:password
	Username      string `json:"username"`
	Password      string `json:"password"`
	IdentityToken string `json:"identitytoken"`
	RegistryToken string `json:"registrytoken"`
}

// ReadCredentials reads the first of $REGISTRY_AUTH_FILE, $DOCKER_CONFIG/config.json, $HOME/.docker/config.json
// and $XDG_RUNTIME_DIR/containers/auth.json that exists. None is no error.
func ReadCredentials(getenv func(string) string) (Credentials, error) {
	for _, place := range []struct{ variable, rest string }{
		{"REGISTRY_AUTH_FILE", ""}, {"DOCKER_CONFIG", "config.json"}, {"HOME", ".docker/config.json"}, {"XDG_RUNTIME_DIR", "containers/auth.json"},
	} {
		folder := getenv(place.variable)
		if folder == "" {
			continue
		}
		path := filepath.Join(folder, place.rest)
		bytes, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Credentials{}, &fault.Error{Kind: fault.Auth, What: "cannot read the registry logins", Where: path, Cause: err}
		}
		return parseCredentials(bytes, path)
	}
	return Credentials{}, nil
}

func parseCredentials(bytes []byte, path string) (Credentials, error) {
	var config struct {
		Auths       map[string]login  `json:"auths"`
		CredsStore  string            `json:"credsStore"`
		CredHelpers map[string]string `json:"credHelpers"`
	}
	if json.Unmarshal(bytes, &config) != nil { // its text may hold secrets, so the error's is not shown
		return Credentials{}, &fault.Error{Kind: fault.Auth, What: "the registry logins are not JSON", Where: path}
	}
	credentials := Credentials{logins: map[string]login{}, helper: config.CredsStore}
	for key, entry := range config.Auths {
		credentials.logins[normalKey(key)] = entry.decoded()
	}
	for _, helper := range config.CredHelpers {
		credentials.helper = helper
	}
	return credentials, nil
}

// normalKey drops what old logins have around the host: "https://index.docker.io/v1/".
func normalKey(key string) string {
	key = strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	key = strings.TrimSuffix(key, "/")
	for _, old := range []string{"/v1", "/v2"} {
		key = strings.TrimSuffix(key, old)
	}
	if key == "docker.io" || key == "index.docker.io" {
		return dockerHub
	}
	return key
}

func (l login) decoded() login {
	if l.Username != "" || l.Auth == "" {
		return l
	}
	if text, err := base64.StdEncoding.DecodeString(l.Auth); err == nil {
		l.Username, l.Password, _ = strings.Cut(strings.TrimRight(string(text), "\x00"), ":")
	}
	return l
}

// find gives the login of the longest prefix of host/repository, on whole parts.
func (c Credentials) find(host, repository string) (login, bool) {
	for key := host + "/" + repository; ; {
		if found, ok := c.logins[key]; ok && found != (login{}) {
			return found, true
		}
		slash := strings.LastIndex(key, "/")
		if slash < 0 {
			return login{}, false
		}
		key = key[:slash]
	}
}
