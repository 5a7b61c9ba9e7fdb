package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"time"

	"waybill/downloader/internal/fault"
)

const (
	longestWait       = 30 * time.Second
	longestRetryAfter = 5 * time.Minute
)

// Retry calls try until it succeeds, fails for good, or has failed options.Retries times more in a row without
// progress. Waits double from FirstWait with jitter and obey Retry-After. The error is a *fault.Error, or
// whatever error of its own try gave, or the context's cause.
func (c *Client) Retry(ctx context.Context, where string, try func() (progressed bool, err error)) error {
	for failures := 0; ; {
		progressed, err := try()
		if err == nil {
			return nil
		}
		if fault.Stopped(ctx) {
			return context.Cause(ctx)
		}
		if !temporary(err) {
			return final(where, err)
		}
		if progressed {
			failures = 0
		}
		if failures++; failures > c.options.Retries {
			return exhausted(where, failures, err)
		}
		wait := c.wait(failures, err)
		c.note(fmt.Sprintf("%s: %v; trying again in %s", where, short(err), wait.Round(time.Millisecond)))
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func (c *Client) note(line string) {
	if c.options.Note != nil {
		c.options.Note(fault.OneLine(line))
	}
}

// wait is exponential with "equal jitter": half fixed, half random, so that many pods don't return together.
func (c *Client) wait(failures int, err error) time.Duration {
	full := min(c.options.FirstWait<<min(failures-1, 20), longestWait)
	wait := full/2 + rand.N(full/2+1)
	if refused, ok := errors.AsType[*StatusError](err); ok && refused.RetryAfter > 0 {
		return max(min(refused.RetryAfter, longestRetryAfter), wait)
	}
	return wait
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func temporary(err error) bool {
	if refused, ok := errors.AsType[*StatusError](err); ok {
		return refused.temporary()
	}
	if _, expected := errors.AsType[*fault.Error](err); expected || isCertificate(err) {
		return false
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	for _, known := range []error{errSilent, io.ErrUnexpectedEOF, io.EOF, syscall.ECONNRESET, syscall.ECONNREFUSED, syscall.EPIPE, os.ErrDeadlineExceeded} {
		if errors.Is(err, known) {
			return true
		}
	}
	// net/http has no type for a malformed answer; all it says starts so
	return isProtocol(err)
}

func isCertificate(err error) bool {
	_, a := errors.AsType[*tls.CertificateVerificationError](err)
	_, b := errors.AsType[x509.UnknownAuthorityError](err)
	_, c := errors.AsType[x509.HostnameError](err)
	return a || b || c
}

func final(where string, err error) error {
	if refused, ok := errors.AsType[*StatusError](err); ok {
		return refused.Fault()
	}
	if isCertificate(err) {
		return &fault.Error{Kind: fault.Network, What: short(err), Where: where, Cause: err,
			Mend: "name a bundle with the server's CA in SSL_CERT_FILE, or pass --insecure"}
	}
	return err
}

func exhausted(where string, tries int, err error) error {
	return &fault.Error{Kind: fault.Network, What: fmt.Sprintf("gave up after %d failures in a row (%s)", tries, short(err)),
		Where: where, Mend: "run again to resume, or raise --retries or --timeout", Cause: err}
}
