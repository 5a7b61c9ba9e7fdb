package cli

import (
	"flag"
	"log/slog"

	"github.com/go-logr/logr"

	"waybill/operator/internal/explorer"
)

// explorer shows the kinds without a cluster.
func (p program) explorer(args []string) int {
	flags := flag.NewFlagSet("explorer", flag.ContinueOnError)
	address := flags.String("explorer-bind-address", ":8082", "address of /explorer/")
	files := flags.String("explorer-files", uiFolder, "folder of the explorer's files")
	if code, ok := p.parse(flags, args); !ok {
		return code
	}
	log := logr.FromSlogHandler(slog.NewJSONHandler(p.errors, nil))
	if err := (explorer.Server{Address: *address, Files: *files, Log: log}).Start(p.stopping); err != nil {
		return p.fail(err, exitFailed)
	}
	return 0
}
