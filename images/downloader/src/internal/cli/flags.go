package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"waybill/downloader/internal/fault"
)

var errHelp = errors.New("help was asked for")

// options are the flags of download, as given.
type options struct {
	kind       string
	names      list
	list       string
	outputDir  string
	registry   string
	revision   string
	platform   string
	include    list
	exclude    list
	sha256     list
	authRealms list
	threadness int
	chunkSize  size
	retries    int
	retryWait  time.Duration
	timeout    time.Duration
	lockWait   time.Duration
	insecure   bool
	plainHTTP  bool
	verify     string
	progress   string
}

func parseDownload(args []string, out io.Writer) (options, error) {
	o := options{chunkSize: 64 << 20}
	flags := flag.NewFlagSet("download", flag.ContinueOnError)
	flags.Var(&o.names, "name", "what to fetch: `org/model` (huggingface), org/artefact:tag (oci), a file or URL (http); http takes several")
	flags.StringVar(&o.outputDir, "output-dir", "", "`folder` to fill; made where it is missing")
	flags.StringVar(&o.registry, "registry", "", "server's `URL` (oci: or host); default https://huggingface.co, for oci the name's own host")
	flags.StringVar(&o.kind, "type", "", "`kind` of server: oci, http or huggingface")
	flags.IntVar(&o.threadness, "threadness", 3, "`number` of connections at a time, for files and for ranges of large files")
	flags.StringVar(&o.revision, "revision", "", "huggingface: `branch`, tag or commit (default main); oci: tag or digest")
	flags.StringVar(&o.platform, "platform", "", "oci: `os/architecture` to take from an index (default this machine's)")
	flags.Var(&o.include, "include", "take only files that match the `glob` (again for more): * in a folder, ** across; without / by base name")
	flags.Var(&o.exclude, "exclude", "leave out files that match the `glob` (again for more)")
	flags.Var(&o.sha256, "sha256", "http: `digest` of the one file, or name=digest (again for more)")
	flags.StringVar(&o.list, "list", "", "http: `file` of names, or of sha256sum's lines; - is standard input")
	flags.IntVar(&o.retries, "retries", 5, "failures in a row without a new byte to bear, for each `request`")
	flags.DurationVar(&o.retryWait, "retry-wait", time.Second, "`pause` before the first retry; it doubles up to 30s, and Retry-After is obeyed")
	flags.DurationVar(&o.timeout, "timeout", 30*time.Second, "`silence` of a server after which a try has failed")
	flags.DurationVar(&o.lockWait, "lock-wait", 0, "`time` to wait for another downloader in the folder")
	flags.Var(&o.chunkSize, "chunk-size", "files above it are fetched in ranges of this `size` (8MB, 64MiB)")
	flags.BoolVar(&o.insecure, "insecure", false, "accept any TLS certificate")
	flags.BoolVar(&o.plainHTTP, "plain-http", false, "oci: http where --registry has no scheme")
	flags.Var(&o.authRealms, "auth-realm", "oci: further `host` that may see the registry's login (again for more)")
	flags.StringVar(&o.verify, "verify", "full", "`how` to check files that are there: full (hash) or quick (size and time)")
	flags.StringVar(&o.progress, "progress", "auto", "auto, bar, plain, json (on standard output) or none")
	if err := parse(flags, args, out); err != nil {
		return o, err
	}
	return o, o.check()
}

// parse is flag's, with its errors as usage faults of one line.
func parse(flags *flag.FlagSet, args []string, out io.Writer) error {
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		help(flags, out)
		return errHelp
	}
	if err != nil {
		return fault.Usagef("see --help", "%v", err)
	}
	if flags.NArg() > 0 {
		return fault.Usagef("see --help", "one argument too many, %q", flags.Arg(0))
	}
	return nil
}

func (o options) check() error {
	switch {
	case o.outputDir == "":
		return fault.Usagef("pass --output-dir DIR", "no folder to fill")
	case o.kind != "oci" && o.kind != "http" && o.kind != "huggingface":
		return fault.Usagef("pass --type oci, http or huggingface", "unknown --type %q", o.kind)
	case o.kind != "http" && len(o.names) != 1:
		return fault.Usagef("pass one --name", "%d names for --type %s", len(o.names), o.kind)
	case o.kind == "http" && len(o.names) == 0 && o.list == "":
		return fault.Usagef("pass --name FILE or --list FILE", "nothing to fetch")
	case o.kind != "http" && (len(o.sha256) > 0 || o.list != ""):
		return fault.Usagef("leave it out: the server's own digests are checked", "--sha256 and --list are for --type http")
	case o.kind == "http" && o.revision != "":
		return fault.Usagef("leave it out", "--type http has no --revision")
	case o.threadness < 1 || o.threadness > 256:
		return fault.Usagef("pass 1 to 256", "bad --threadness %d", o.threadness)
	case o.retries < 0:
		return fault.Usagef("pass 0 or more", "bad --retries %d", o.retries)
	case o.timeout <= 0 || o.retryWait <= 0 || o.lockWait < 0:
		return fault.Usagef("pass a time such as 30s", "bad --timeout, --retry-wait or --lock-wait")
	case o.verify != "full" && o.verify != "quick":
		return fault.Usagef("pass full or quick", "unknown --verify %q", o.verify)
	}
	return o.checkRegistry()
}

// list is a flag that may be given again, or hold several values with commas.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(text string) error {
	for value := range strings.SplitSeq(text, ",") {
		if value = strings.TrimSpace(value); value == "" {
			return fmt.Errorf("an empty value")
		}
		*l = append(*l, value)
	}
	return nil
}
