// Command webhook answers the API server's admission questions; main is the one place that exits.
package main

import (
	"os"

	"waybill/webhook/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}
