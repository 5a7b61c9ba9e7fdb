// Package options are the flags of the serve mode, spelled as kube-oidc-proxy and kube-apiserver spell them.
package options

import (
	"flag"
	"io"
	"time"
)

// Options are the flags as given, checked.
type Options struct {
	IssuerURL      string
	ClientID       string
	CAFile         string
	UsernameClaim  string
	UsernamePrefix string
	GroupsClaim    string
	GroupsPrefix   string
	SigningAlgs    []string
	RequiredClaims map[string]string

	BindAddress string
	SecurePort  int
	ProbePort   int
	CertFile    string
	KeyFile     string
	Kubeconfig  string

	DisableImpersonation bool
	TokenPassthrough     bool
	TokenAudiences       []string
	ExtraHeaders         map[string][]string
	ClientIPHeader       bool
	FlushInterval        time.Duration
	ShutdownGrace        time.Duration
	Verbosity            int
}

// Parse reads the flags and says all that is wrong with them at once. flag.ErrHelp means that the usage
// was asked for and written to out.
func Parse(args []string, out io.Writer) (*Options, error) {
	o := &Options{}
	set := o.flags()
	set.SetOutput(io.Discard)
	err := set.Parse(args)
	if err == flag.ErrHelp {
		usage(set, out)
	}
	if err != nil {
		return nil, err
	}
	o.defaults()
	return o, o.check(set.Args())
}

func (o *Options) flags() *flag.FlagSet {
	set := flag.NewFlagSet("oidc-proxy", flag.ContinueOnError)
	o.oidcFlags(set)
	o.servingFlags(set)
	o.forwardingFlags(set)
	set.IntVar(&o.Verbosity, "v", 0, "`level` of logging: 0 says who was let through and who was turned away, 2 more")
	return set
}

func (o *Options) oidcFlags(set *flag.FlagSet) {
	set.StringVar(&o.IssuerURL, "oidc-issuer-url", "", "`URL` of the OpenID issuer, https; required")
	set.StringVar(&o.ClientID, "oidc-client-id", "", "`client` the tokens must be for (aud); required")
	set.StringVar(&o.CAFile, "oidc-ca-file", "", "PEM `file` of the issuer's authority; the system's authorities by default")
	set.StringVar(&o.UsernameClaim, "oidc-username-claim", "sub", "`claim` that names the user")
	set.StringVar(&o.UsernamePrefix, "oidc-username-prefix", "",
		"`prefix` of user names; by default the issuer's URL and #, or none where the claim is email; - for none")
	set.StringVar(&o.GroupsClaim, "oidc-groups-claim", "", "`claim` with the user's groups, a string or an array of strings")
	set.StringVar(&o.GroupsPrefix, "oidc-groups-prefix", "", "`prefix` of group names")
	set.Var((*list)(&o.SigningAlgs), "oidc-signing-algs", "JOSE `algorithms` taken, by commas (default RS256)")
	set.Var(pairs{&o.RequiredClaims}, "oidc-required-claim", "`claim=value` a token must have; may be repeated")
}

func (o *Options) servingFlags(set *flag.FlagSet) {
	set.StringVar(&o.BindAddress, "bind-address", "0.0.0.0", "IP `address` of both ports; 0.0.0.0 or :: for all")
	set.IntVar(&o.SecurePort, "secure-port", 6443, "`port` to serve HTTPS on")
	set.IntVar(&o.ProbePort, "readiness-probe-port", 8080, "`port` of /ready and /live, HTTP")
	set.StringVar(&o.CertFile, "tls-cert-file", "", "PEM `file` of the serving certificate, read again when it changes; required")
	set.StringVar(&o.KeyFile, "tls-private-key-file", "", "PEM `file` of its key; required")
	set.DurationVar(&o.ShutdownGrace, "shutdown-grace-period", 25*time.Second, "`time` for what is under way when asked to stop")
}

func (o *Options) forwardingFlags(set *flag.FlagSet) {
	set.StringVar(&o.Kubeconfig, "kubeconfig", "", "`file` that says where the API server is and how to log in; in a pod by default")
	set.BoolVar(&o.DisableImpersonation, "disable-impersonation", false, "pass requests on with the client's token")
	set.BoolVar(&o.TokenPassthrough, "token-passthrough", false, "let in tokens that the API server takes (TokenReview)")
	set.Var((*list)(&o.TokenAudiences), "token-passthrough-audiences", "`audiences` of those tokens, by commas; one must fit")
	set.Var(multi{&o.ExtraHeaders}, "extra-user-headers", "`key=value` by commas, sent as Impersonate-Extra-KEY; may be repeated")
	set.BoolVar(&o.ClientIPHeader, "extra-user-header-client-ip", false, "send the client's address as Impersonate-Extra-Remote-Client-Ip")
	set.DurationVar(&o.FlushInterval, "flush-interval", 50*time.Millisecond,
		"`time` between flushes of an answer; -1ns for at once; watches always are")
}
