// Command downloader fetches models and artefacts into a folder; main is the one place that exits.
package main

import (
	"os"

	"waybill/downloader/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}
