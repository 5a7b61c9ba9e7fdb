package cli

import (
	"flag"
	"fmt"
	"io"
)

const usage = `Usage: downloader [download] --type oci|http|huggingface --name NAME --output-dir DIR [--registry URL] [flags]
       downloader healthcheck --output-dir DIR [--verify quick|full]
       downloader version

Environment: WAYBILL_MODE (the mode where no argument names one), HF_TOKEN or HF_TOKEN_PATH, HF_ENDPOINT,
  DOCKER_CONFIG or REGISTRY_AUTH_FILE, DOWNLOADER_TOKEN or DOWNLOADER_USER and DOWNLOADER_PASSWORD (http),
  HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE
Exit: 0 done, 2 bad use, 3 not found, 4 not allowed, 5 wrong bytes, 6 network after all retries,
  7 disk, 8 folder in use, 128+n signal n (143 SIGTERM: run again to resume)

Flags:
`

func help(flags *flag.FlagSet, out io.Writer) {
	fmt.Fprint(out, usage)
	flags.VisitAll(func(f *flag.Flag) {
		value, text := flag.UnquoteUsage(f)
		line := "  --" + f.Name
		if value != "" {
			line += " " + value
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0s" {
			text += " [" + f.DefValue + "]"
		}
		fmt.Fprintf(out, "%s\n        %s\n", line, text)
	})
}
