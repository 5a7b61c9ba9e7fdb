package cli

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// firstProcess is the container's: its flags say where it listens.
const firstProcess = "/proc/1/cmdline"

// healthcheck asks the webhook in the same container whether it answers. Who it is it knows: the certificate is for others.
func (p program) healthcheck(args []string) int {
	var s settings
	if code, ok := p.parse(serveFlags(&s), args); !ok {
		return code
	}
	if len(args) == 0 {
		s.address = addressOf(firstProcess, s.address)
	}
	_, port, err := net.SplitHostPort(s.address)
	if err != nil {
		return p.fail(err, exitUsage)
	}
	client := http.Client{
		Timeout:   3 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	}
	answer, err := client.Get("https://" + net.JoinHostPort("127.0.0.1", port) + "/healthz")
	if err != nil {
		return p.fail(err, exitFailed)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return p.fail(fmt.Errorf("%s answers %s", answer.Request.URL, answer.Status), exitFailed)
	}
	return 0
}

// addressOf reads the flag of a running webhook, else gives the default.
func addressOf(cmdline, otherwise string) string {
	text, err := os.ReadFile(cmdline)
	if err != nil {
		return otherwise
	}
	args := strings.Split(strings.TrimRight(string(text), "\x00"), "\x00")[1:]
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		args = args[1:]
	}
	var s settings
	flags := serveFlags(&s)
	flags.SetOutput(io.Discard)
	if flags.Parse(args) != nil {
		return otherwise
	}
	return s.address
}
