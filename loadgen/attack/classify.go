package attack

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"

	"scalableappbackend/loadgen/measure"
	"scalableappbackend/loadgen/wire"
)

// Progress is how far a request came before it failed.
type Progress int

const (
	Connecting Progress = iota
	Connected           // and nothing of an answer seen
	Answering           // some of an answer seen
)

// classify names the reason for which a request failed. It goes by the type of the error, never
// by its text: that holds ports and addresses, and changes between versions. Where net/http
// keeps the type to itself, how far the request came decides.
func Classify(err error, p Progress) measure.Kind {
	if errors.Is(err, wire.ErrTooManyRedirects) {
		return measure.KindRedirects
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return measure.KindTimeout
	}
	if kind := classifyTLS(err); kind != measure.KindNone {
		return kind
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if outOfFiles() {
			return measure.KindFiles // the resolver says no such host where it could not open its own files
		}
		if dns.IsNotFound {
			return measure.KindNoHost
		}
		return measure.KindDNS
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		if kind, known := errnoKinds[errno]; known {
			return kind
		}
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return measure.KindTimeout
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return measure.KindClosed
	}
	switch p {
	case Answering:
		return measure.KindMalformed
	case Connected:
		return measure.KindClosed
	default:
		return measure.KindOther
	}
}

func classifyTLS(err error) measure.Kind {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if e.Reason == x509.Expired {
			return measure.KindTLSExpired
		}
		return measure.KindTLS
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return measure.KindTLSUnknown
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return measure.KindTLSName
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return measure.KindTLSNotTLS
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return measure.KindTLS
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return measure.KindTLS
	}
	// The type of an alert that the other side sent is crypto/tls's own; where an error arose it tells.
	if e, ok := errors.AsType[*net.OpError](err); ok && (e.Op == "remote error" || e.Op == "local error") {
		return measure.KindTLS
	}
	return measure.KindNone
}

// outOfFiles reports whether this process can open no further descriptor.
func outOfFiles() bool {
	f, err := os.Open(os.DevNull)
	if err != nil {
		return true
	}
	f.Close()
	return false
}
