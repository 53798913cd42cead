// Package otlphttp sends messages of the OpenTelemetry protocol over HTTP, as its specification says
// (https://opentelemetry.io/docs/specs/otlp/#otlphttp): binary protobuf, compressed with gzip, in one POST a message.
//
// It promises that a message is sent until a receiver has taken or refused it, or the context ends: what the
// specification calls retryable (no connection, 429, 502, 503, 504) is tried again after a growing, jittered wait or the
// receiver's Retry-After, everything else is an error at once. What a receiver took only in part is told by count.
//
// It refuses gRPC, JSON, queues and batches, which are the caller's, and does not read the environment; it has readers of
// what people write there: [ParseHeaders], [ParsePairs].
package otlphttp

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Numbers of a Client.
const (
	// DefaultTimeout is of one attempt, as the specification's exporters have it.
	DefaultTimeout = 10 * time.Second

	firstWait  = 500 * time.Millisecond
	longestGap = 30 * time.Second
	// maxAnswer is how much of an answer is read: it is a count and a message.
	maxAnswer = 64 << 10
)

// Signer signs a request whose body, as it goes over the wire, is given. It sets headers and nothing else.
type Signer interface {
	Sign(ctx context.Context, r *http.Request, body []byte) error
}

// Client sends to one URL. Only URL is needed; it is safe for concurrent use.
type Client struct {
	URL       string // with the signal's path, /v1/metrics or /v1/traces: see SignalURL
	Header    http.Header
	Transport http.RoundTripper // nil: http.DefaultTransport
	Signer    Signer            // nil: requests are not signed
	Timeout   time.Duration     // of an attempt; 0: DefaultTimeout
}

// Reply is what came of a message: what the receiver that took it said of it, how many data points or spans of it it
// rejected, and why. A message without a number is a warning.
type Reply struct {
	Rejected int64
	Message  string
	Calls    int // requests that were made; set beside an error, too
}

// StatusError is an answer that is not a success.
type StatusError struct {
	Status  int
	Message string // what the receiver said, in one line; may be empty

	wait time.Duration // Retry-After; 0 for none
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("status %d %s", e.Status, http.StatusText(e.Status))
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// retryable reports whether the specification lets a client try again.
func (e *StatusError) retryable() bool {
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Send sends a message, again and again if need be, until ctx ends. The error is the last attempt's.
func (c *Client) Send(ctx context.Context, m proto.Message) (Reply, error) {
	body, err := encode(m)
	if err != nil {
		return Reply{}, err
	}
	var calls int
	for gap := firstWait; ; gap = min(gap*2, longestGap) {
		reply, err := c.try(ctx, body)
		calls++
		if reply.Calls = calls; err == nil {
			return reply, nil
		}
		wait := gap/2 + rand.N(gap/2+1)
		if s, ok := errors.AsType[*StatusError](err); ok {
			if !s.retryable() {
				return reply, err
			}
			wait = cmp.Or(s.wait, wait)
		} else if _, ok := errors.AsType[*refusal](err); ok {
			return reply, err
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
			return reply, err // it would not be sent again
		}
		again := time.NewTimer(wait)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return reply, err
		}
	}
}

// refusal is an error that no further attempt would mend.
type refusal struct{ error }

func (r *refusal) Unwrap() error { return r.error }

func encode(m proto.Message) ([]byte, error) {
	raw, err := proto.Marshal(m)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	_, _ = z.Write(raw) // a buffer takes everything
	_ = z.Close()
	return body.Bytes(), nil
}

// try makes one attempt.
func (c *Client) try(ctx context.Context, body []byte) (Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.Timeout, DefaultTimeout))
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return Reply{}, &refusal{err}
	}
	maps.Copy(r.Header, c.Header)
	r.Header.Set("Content-Type", "application/x-protobuf")
	r.Header.Set("Content-Encoding", "gzip")
	if c.Signer != nil {
		if err := c.Signer.Sign(ctx, r, body); err != nil {
			return Reply{}, fmt.Errorf("signing: %w", err) // credentials may be there the next time
		}
	}
	client := http.Client{
		Transport:     c.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a signature is of one URL
	}
	res, err := client.Do(r)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // method and URL are the caller's to say
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
		}
		return Reply{}, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if res.StatusCode/100 != 2 {
		return Reply{}, &StatusError{Status: res.StatusCode, Message: said(res.Header, answer), wait: retryAfter(res.Header.Get("Retry-After"), time.Now())}
	}
	if err != nil {
		return Reply{}, nil // it was taken
	}
	return partial(res.Header, answer), nil
}

// retryAfter is how long a receiver asks to wait, by RFC 9110 §10.2.3 seconds or a date; 0 when it does not say.
func retryAfter(text string, now time.Time) time.Duration {
	if s, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31); err == nil {
		return time.Duration(s) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}

// partial reads Export…ServiceResponse, which is alike for all signals: partial_success (1) with the number that was
// rejected (1) and a message (2).
func partial(h http.Header, answer []byte) Reply {
	if !isProto(h) {
		return Reply{}
	}
	inner, ok := field(answer, 1, protowire.BytesType)
	if !ok {
		return Reply{}
	}
	var reply Reply
	if n, ok := field(inner, 1, protowire.VarintType); ok {
		v, _ := protowire.ConsumeVarint(n)
		reply.Rejected = int64(v)
	}
	message, _ := field(inner, 2, protowire.BytesType)
	reply.Message = oneLine(message)
	return reply
}

// said is what an answer that is no success says: google.rpc.Status, whose message is field 2, or text.
func said(h http.Header, answer []byte) string {
	if isProto(h) {
		message, _ := field(answer, 2, protowire.BytesType)
		return oneLine(message)
	}
	if kind, _, _ := mime.ParseMediaType(h.Get("Content-Type")); kind == "text/html" {
		return ""
	}
	return oneLine(answer)
}

func isProto(h http.Header) bool {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return kind == "application/x-protobuf"
}

// field is the content of a message's field: of a number its varint, of bytes what they hold.
func field(message []byte, number protowire.Number, kind protowire.Type) ([]byte, bool) {
	for len(message) > 0 {
		n, t, size := protowire.ConsumeTag(message)
		if size < 0 {
			return nil, false
		}
		message = message[size:]
		size = protowire.ConsumeFieldValue(n, t, message)
		if size < 0 {
			return nil, false
		}
		if n == number && t == kind {
			value := message[:size]
			if kind == protowire.BytesType {
				value, _ = protowire.ConsumeBytes(value)
			}
			return value, true
		}
		message = message[size:]
	}
	return nil, false
}

// oneLine is a text from outside, short, and without anything that moves a cursor.
func oneLine(text []byte) string {
	const most = 300
	var b strings.Builder
	for len(text) > 0 && b.Len() < most {
		r, size := utf8.DecodeRune(text)
		if text = text[size:]; r < ' ' || r == 0x7f {
			r = ' '
		}
		b.WriteRune(r)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
