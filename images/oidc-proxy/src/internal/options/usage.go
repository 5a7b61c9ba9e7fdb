package options

import (
	"flag"
	"fmt"
	"io"
	"text/tabwriter"
)

func usage(set *flag.FlagSet, out io.Writer) {
	fmt.Fprint(out, "oidc-proxy [serve] FLAGS\n\n")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	set.VisitAll(func(f *flag.Flag) {
		value, text := flag.UnquoteUsage(f)
		if value != "" {
			value = "=" + value
		}
		if f.DefValue != "" && f.DefValue != "false" {
			text += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(table, "  --%s%s\t%s\n", f.Name, value, text)
	})
	table.Flush()
}
