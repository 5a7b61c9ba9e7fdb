package cli

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
)

// version names the build by its own bytes. The image's version is no part of the image (it is an annotation of
// its index), so that the bytes that were tested are the bytes that get a version.
func (p program) version(args []string) int {
	flags := flag.NewFlagSet("version", flag.ContinueOnError)
	if err := parse(flags, args, p.out); err != nil {
		return p.fail(err)
	}
	fmt.Fprintf(p.out, "downloader %s (%s, %s/%s)\n", ownDigest(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return 0
}

func ownDigest() string {
	path, err := os.Executable()
	if err != nil {
		return "unknown"
	}
	file, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "unknown"
	}
	return fmt.Sprintf("sha256:%x", hash.Sum(nil)[:6])
}
