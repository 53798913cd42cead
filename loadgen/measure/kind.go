package measure

import (
	"net/http"
	"strconv"
)

// Kind is why a request failed. The set is closed, so that counting failures costs no memory for
// a message that differs from request to request (ports, addresses, ids).
type Kind uint8

// The kinds, with what each means.
const (
	KindNone        Kind = iota
	KindStatus           // an answer whose status is not accepted
	KindBody             // an accepted status, and a body without the expected text
	KindTimeout          // no complete answer within --timeout
	KindRefused          // nobody listens at the port
	KindReset            // the other side tore the connection down
	KindClosed           // the connection ended before the answer was complete
	KindNoHost           // the name does not resolve
	KindDNS              // the resolver failed or did not answer
	KindUnreachable      // no route to the host or network
	KindMalformed        // the answer is not HTTP, or its header is too large
	KindRedirects        // more hops than --redirects allows
	KindTLSExpired       // certificate expired or not yet valid
	KindTLSUnknown       // certificate from an authority that is not trusted
	KindTLSName          // certificate for another name
	KindTLSNotTLS        // the other side does not speak TLS
	KindTLS              // any other failure of the handshake
	KindFiles            // this process may open no more descriptors
	KindPorts            // this machine has no free port or address for another connection
	KindOther            // none of these
	kinds                // how many there are
)

type kindText struct{ word, message string }

var kindTexts = [kinds]kindText{
	KindNone:        {"none", ""},
	KindStatus:      {"status", ""}, // the message is the status itself
	KindBody:        {"body", "the body does not hold the expected text"},
	KindTimeout:     {"timeout", "timeout"},
	KindRefused:     {"connection_refused", "connection refused"},
	KindReset:       {"connection_reset", "connection reset"},
	KindClosed:      {"connection_closed", "connection closed before the answer was complete"},
	KindNoHost:      {"no_such_host", "no such host"},
	KindDNS:         {"dns", "DNS lookup failed"},
	KindUnreachable: {"unreachable", "host or network unreachable"},
	KindMalformed:   {"malformed_answer", "malformed answer: not HTTP, or a header above the limit"},
	KindRedirects:   {"too_many_redirects", "too many redirects"},
	KindTLSExpired:  {"tls_expired", "TLS: certificate expired"},
	KindTLSUnknown:  {"tls_unknown_authority", "TLS: certificate signed by unknown authority"},
	KindTLSName:     {"tls_name", "TLS: certificate is for another name"},
	KindTLSNotTLS:   {"tls_plain", "TLS: the server answers without TLS"},
	KindTLS:         {"tls", "TLS: handshake failed"},
	KindFiles:       {"too_many_open_files", "too many open files (this machine's limit)"},
	KindPorts:       {"ports_exhausted", "no free local port (this machine's limit)"},
	KindOther:       {"other", "request failed"},
}

// String is the fixed word for the kind, as it stands in results.
func (k Kind) String() string { return kindTexts[min(k, KindOther)].word }

// Message is the failure in words a person uses.
func (k Kind) Message(status int) string {
	if k != KindStatus {
		return kindTexts[min(k, KindOther)].message
	}
	text := http.StatusText(status)
	if text == "" {
		text = "(unknown status)"
	}
	if status == http.StatusForbidden {
		text += " (a WAF rule?)"
	}
	return strconv.Itoa(status) + " " + text
}
