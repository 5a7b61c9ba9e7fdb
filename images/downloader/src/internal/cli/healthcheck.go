package cli

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"io"

	"waybill/downloader/internal/fault"
	"waybill/downloader/internal/plan"
	"waybill/downloader/internal/store"
)

// healthcheck is for probes and for whoever waits for the files: exit 0 when a download into the folder has
// finished and its files are still of the recorded size (quick) or bytes (full).
func (p program) healthcheck(args []string) int {
	flags := flag.NewFlagSet("healthcheck", flag.ContinueOnError)
	dir := flags.String("output-dir", "", "`folder` that was filled")
	verify := flags.String("verify", "quick", "`how`: quick (sizes) or full (hashes)")
	if err := parse(flags, args, p.out); err != nil {
		return p.fail(err)
	}
	if *dir == "" || *verify != "quick" && *verify != "full" {
		return p.fail(fault.Usagef("see --help", "healthcheck needs --output-dir, and --verify is quick or full"))
	}
	if err := checkFolder(*dir, *verify == "full"); err != nil {
		return p.fail(err)
	}
	return 0
}

func checkFolder(dir string, full bool) error {
	folder, err := store.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	complete, err := folder.Complete()
	if err != nil {
		return err
	}
	for _, file := range complete.Files {
		if err := checkFile(folder, file, full); err != nil {
			return err
		}
	}
	return nil
}

func checkFile(folder *store.Folder, file store.CompleteFile, full bool) error {
	wrong := func(why string) error {
		return &fault.Error{Kind: fault.Integrity, What: why, Where: fmt.Sprintf("%s/%s", folder.Path, file.Path), Mend: "run download again"}
	}
	info, err := folder.Stat(file.Path)
	if err != nil {
		return wrong("a file is missing")
	}
	if info.Size() != file.Size {
		return wrong(fmt.Sprintf("a file has %d bytes instead of %d", info.Size(), file.Size))
	}
	if !full {
		return nil
	}
	content, err := folder.File(file.Path)
	if err != nil {
		return wrong("a file cannot be read")
	}
	defer content.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, content); err != nil {
		return wrong("a file cannot be read")
	}
	if plan.Digest("").Sum(hash) != file.SHA256 {
		return wrong("a file has other bytes than were downloaded")
	}
	return nil
}
