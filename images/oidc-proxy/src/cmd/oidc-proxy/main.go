// Command oidc-proxy lets the users of an OpenID provider into a Kubernetes API server that does not know
// the provider; main is the one place that exits.
package main

import (
	"os"

	"waybill/oidc-proxy/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}
