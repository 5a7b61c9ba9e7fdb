package web

import (
	"errors"
	"io"
	"net"
	"strings"
)

// short gives a network error without addresses of sockets and URLs, which the line around it already has.
func short(err error) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return "cannot resolve " + dns.Name + ": " + dns.Err
	}
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		return operation.Op + ": " + operation.Err.Error()
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return "the connection ended early"
	}
	return err.Error()
}

func isProtocol(err error) bool {
	text := err.Error()
	return strings.HasPrefix(text, "net/http: ") || strings.HasPrefix(text, "http: ") || strings.Contains(text, "malformed")
}
