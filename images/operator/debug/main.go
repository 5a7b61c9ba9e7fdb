// Command operator of the debug variant is kubectl too, under that name: both consist of the same libraries for the most part, and
// one program with both is 30 MB smaller than two.
package main

import (
	"os"
	"path/filepath"

	"waybill/kubectl"
	"waybill/operator/internal/cli"
)

func main() {
	if filepath.Base(os.Args[0]) == "kubectl" {
		kubectl.Main()
		return
	}
	os.Exit(cli.Main(os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}
