// Command operator runs agents, MCP servers and models on Kubernetes; main is the one place that exits.
package main

import (
	"os"

	"waybill/operator/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}
