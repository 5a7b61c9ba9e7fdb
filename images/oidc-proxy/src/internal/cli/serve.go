package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"waybill/keypair"
	"waybill/oidc-proxy/internal/identity"
	"waybill/oidc-proxy/internal/kube"
	"waybill/oidc-proxy/internal/options"
	"waybill/oidc-proxy/internal/proxy"
	"waybill/oidc-proxy/internal/server"
)

// debugFrom is the --v from which on the log holds what only helps to find faults.
const debugFrom = 2

func serve(stopping context.Context, args []string, stdout, stderr io.Writer) int {
	given, err := options.Parse(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "%v\nthe flags: oidc-proxy serve --help\n", err)
		return exitUsage
	}
	log := logger(stderr, given.Verbosity)
	if err := run(stopping, given, log); err != nil {
		log.Error("Can't go on", "error", err)
		return exitFailed
	}
	return 0
}

func logger(out io.Writer, verbosity int) *slog.Logger {
	level := slog.LevelInfo
	if verbosity >= debugFrom {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level}))
}

func run(stopping context.Context, given *options.Options, log *slog.Logger) error {
	certificate, err := keypair.Open(given.CertFile, given.KeyFile, log)
	if err != nil {
		return err
	}
	cluster, err := kube.Open(given.Kubeconfig)
	if err != nil {
		return err
	}
	issuer, err := identity.NewIssuer(given.Identity())
	if err != nil {
		return err
	}
	go issuer.Discover(stopping, log)
	return server.Run(stopping, server.Settings{
		Address:     given.BindAddress,
		Port:        given.SecurePort,
		ProbePort:   given.ProbePort,
		Grace:       given.ShutdownGrace,
		Certificate: certificate.Server,
		Ready:       issuer.Ready,
		Handler:     proxy.New(stopping, forwarding(given), issuer, cluster, log),
	}, log)
}

func forwarding(given *options.Options) proxy.Settings {
	return proxy.Settings{
		DisableImpersonation: given.DisableImpersonation,
		TokenPassthrough:     given.TokenPassthrough,
		TokenAudiences:       given.TokenAudiences,
		ExtraHeaders:         given.ExtraHeaders,
		ClientIPHeader:       given.ClientIPHeader,
		FlushInterval:        given.FlushInterval,
	}
}
