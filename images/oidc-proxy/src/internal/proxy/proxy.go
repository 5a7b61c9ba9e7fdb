// Package proxy judges each request and passes it on to the API server, as the user its token names.
package proxy

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"waybill/oidc-proxy/internal/identity"
	"waybill/oidc-proxy/internal/impersonation"
	"waybill/oidc-proxy/internal/kube"
)

// Settings are the choices of an operator.
type Settings struct {
	// DisableImpersonation passes requests on with the client's token, for an API server that knows the issuer.
	DisableImpersonation bool
	// TokenPassthrough lets in what the API server itself takes for a good token.
	TokenPassthrough bool
	TokenAudiences   []string
	// ExtraHeaders go with every impersonated request, by lower-case key.
	ExtraHeaders map[string][]string
	// ClientIPHeader adds the client's address and port to them.
	ClientIPHeader bool
	FlushInterval  time.Duration
}

// Authenticator tells whom a token names.
type Authenticator interface {
	Authenticate(ctx context.Context, token string) (identity.User, error)
}

// Proxy is the handler of the serving port.
type Proxy struct {
	settings Settings
	issuer   Authenticator
	cluster  *kube.Cluster
	log      *slog.Logger
	// stopping ends when the program is asked to; watches, which have no end of their own, end with it.
	stopping context.Context
}

// New makes the handler. Done with stopping, it still answers what is under way.
func New(stopping context.Context, settings Settings, issuer Authenticator, cluster *kube.Cluster, log *slog.Logger) *Proxy {
	return &Proxy{settings: settings, issuer: issuer, cluster: cluster, log: log, stopping: stopping}
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pass, err := p.judge(r)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	p.log.Info("Let through", append(about(r), "user", pass.user, "as", pass.as)...)
	p.forward(w, r, pass)
}

// pass is how a request goes on.
type pass struct {
	user string
	// as is whom it counts as, where that is somebody else.
	as string
	// asItCame says that nobody is impersonated and the client's credentials go on.
	asItCame bool
	via      http.RoundTripper
	// headers sets the credentials of the request to the API server.
	headers func(http.Header)
}

func (p *Proxy) judge(r *http.Request) (pass, error) {
	token, ok := bearer(r.Header)
	if !ok {
		return pass{}, unauthorized("no bearer token")
	}
	user, err := p.issuer.Authenticate(r.Context(), token)
	if err != nil {
		return p.judgeByReview(r, token, err)
	}
	if p.settings.DisableImpersonation {
		return p.asItCame(user.Name, token), nil
	}
	return p.impersonate(r, user)
}

// judgeByReview is for tokens that aren't the issuer's, where those may pass too. cause says why they aren't.
func (p *Proxy) judgeByReview(r *http.Request, token string, cause error) (pass, error) {
	if p.settings.TokenPassthrough {
		name, good, err := p.cluster.KnowsToken(r.Context(), token, p.settings.TokenAudiences)
		if err != nil {
			p.log.Error("The token can't be reviewed", append(about(r), "error", err)...)
		}
		if good && err == nil {
			return p.asItCame(name, token), nil
		}
	}
	if errors.Is(cause, identity.ErrNotReady) {
		return pass{}, unavailable(cause.Error())
	}
	return pass{}, unauthorized(cause.Error())
}

// asItCame shows the client's token and nothing of the proxy's.
func (p *Proxy) asItCame(user, token string) pass {
	return pass{user: user, asItCame: true, via: p.cluster.Bare, headers: func(headers http.Header) {
		headers.Set("Authorization", "Bearer "+token)
	}}
}

func (p *Proxy) impersonate(r *http.Request, user identity.User) (pass, error) {
	asked, err := impersonation.Read(r.Header)
	if err != nil {
		return pass{}, badRequest(err.Error())
	}
	self := impersonation.Identity{User: user.Name, Groups: user.Groups}
	if asked == nil {
		return p.pass(r, user.Name, "", self), nil
	}
	if err := p.review(r, user, *asked); err != nil {
		return pass{}, err
	}
	return p.pass(r, user.Name, asked.User, asked.With(impersonation.Record(user.Name, self.Complete().Groups))), nil
}

func (p *Proxy) pass(r *http.Request, user, as string, who impersonation.Identity) pass {
	who = who.Complete().With(p.settings.ExtraHeaders)
	if p.settings.ClientIPHeader {
		who = who.With(map[string][]string{"remote-client-ip": {r.RemoteAddr}})
	}
	return pass{user: user, as: as, via: p.cluster.Own, headers: func(headers http.Header) {
		headers.Del("Authorization")
		who.Write(headers)
	}}
}

// review asks for each thing the client wants to be; the asking user has the groups the API server would give it.
func (p *Proxy) review(r *http.Request, user identity.User, asked impersonation.Identity) error {
	asking := identity.User{
		Name:   user.Name,
		Groups: impersonation.Identity{User: user.Name, Groups: user.Groups}.Complete().Groups,
	}
	for _, permission := range asked.Permissions() {
		allowed, err := p.cluster.MayImpersonate(r.Context(), asking, permission)
		if err != nil {
			return unreviewed(err)
		}
		if !allowed {
			return forbidden(user.Name + " is not allowed to impersonate " + permission.What)
		}
	}
	return nil
}
