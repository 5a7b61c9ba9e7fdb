package cli

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"runtime"
	"strings"

	"waybill/downloader/internal/fault"
	"waybill/downloader/internal/plan"
	"waybill/downloader/internal/source/httpfiles"
	"waybill/downloader/internal/source/huggingface"
	"waybill/downloader/internal/source/oci"
	"waybill/downloader/internal/web"
)

// checkRegistry keeps passwords out of argv and catches a missing scheme early.
func (o options) checkRegistry() error {
	for _, text := range append([]string{o.registry}, o.names...) {
		if u, err := url.Parse(text); err == nil && u.User != nil {
			return fault.Usagef("use the environment (see --help): other users can read a command line", "a login in a URL")
		}
	}
	if o.kind == "oci" || o.registry == "" {
		return nil
	}
	if u, err := url.Parse(o.registry); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fault.Usagef("give a URL that starts with https://", "bad --registry %q", o.registry)
	}
	return nil
}

func (p program) source(o options, client *web.Client) (plan.Source, error) {
	switch o.kind {
	case "huggingface":
		return p.huggingface(o, client)
	case "oci":
		return p.oci(o, client)
	}
	return p.http(o)
}

func (p program) huggingface(o options, client *web.Client) (plan.Source, error) {
	token := p.getenv("HF_TOKEN")
	if path := p.getenv("HF_TOKEN_PATH"); token == "" && path != "" {
		bytes, err := os.ReadFile(path)
		if err != nil {
			return nil, &fault.Error{Kind: fault.Auth, What: "cannot read HF_TOKEN_PATH", Where: path, Cause: err}
		}
		token = string(bytes)
	}
	return huggingface.Source{
		Client:   client,
		Registry: first(o.registry, p.getenv("HF_ENDPOINT"), huggingface.DefaultRegistry),
		Name:     o.names[0],
		Revision: first(o.revision, "main"),
		Token:    strings.TrimSpace(token),
	}, nil
}

func (p program) oci(o options, client *web.Client) (plan.Source, error) {
	credentials, err := oci.ReadCredentials(p.getenv)
	return oci.Source{
		Client:      client,
		Registry:    o.registry,
		Name:        o.names[0],
		Revision:    o.revision,
		Platform:    first(o.platform, "linux/"+runtime.GOARCH),
		PlainHTTP:   o.plainHTTP,
		Credentials: credentials,
		Realms:      o.authRealms,
	}, err
}

func (p program) http(o options) (plan.Source, error) {
	source := httpfiles.Source{Base: o.registry, Names: o.names, Digests: map[string]plan.Digest{}}
	if o.list != "" {
		text, err := p.readList(o.list)
		if err != nil {
			return nil, err
		}
		names, digests, err := httpfiles.ParseList(text)
		if err != nil {
			return nil, err
		}
		source.Names, source.Digests = append(source.Names, names...), digests
	}
	for _, text := range o.sha256 {
		if err := addDigest(source, text); err != nil {
			return nil, err
		}
	}
	if token := p.getenv("DOWNLOADER_TOKEN"); token != "" {
		source.Auth = web.Bearer(strings.TrimSpace(token))
	} else if user := p.getenv("DOWNLOADER_USER"); user != "" {
		source.Auth = web.Basic(user, p.getenv("DOWNLOADER_PASSWORD"))
	}
	return source, nil
}

func (p program) readList(path string) (string, error) {
	read := func() ([]byte, error) { return os.ReadFile(path) }
	if path == "-" {
		read = func() ([]byte, error) { return io.ReadAll(p.in) }
	}
	bytes, err := read()
	if err != nil {
		return "", fault.Usagef("name a file that can be read", "cannot read --list %s", path)
	}
	return string(bytes), nil
}

func addDigest(source httpfiles.Source, text string) error {
	name, digits, named := strings.Cut(text, "=")
	if !named {
		if len(source.Names) != 1 {
			return fault.Usagef("write name=digest", "--sha256 without a name, for %d files", len(source.Names))
		}
		name, digits = source.Names[0], text
	}
	digest, err := plan.ParseDigest("sha256:" + strings.TrimPrefix(digits, "sha256:"))
	if err != nil {
		return fault.Usagef("it has 64 hex digits", "bad --sha256 %q", digits)
	}
	for _, known := range source.Names {
		if known == name || strings.HasSuffix(known, "/"+name) {
			source.Digests[name] = digest
			return nil
		}
	}
	return fault.Usagef("pass its --name too", "--sha256 for %s, which is not fetched", fmt.Sprintf("%q", name))
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
