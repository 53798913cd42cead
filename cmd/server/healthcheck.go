package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"scalableappbackend/server"
)

// healthcheckTimeout is shorter than the time-out of the image's HEALTHCHECK, so that this program says what was wrong.
const healthcheckTimeout = 2 * time.Second

// healthcheck asks the server that listens on a for its health and returns nil when the answer is 200. It is what an
// image without a shell and without curl uses.
func healthcheck(ctx context.Context, a addr) error {
	ctx, cancel := context.WithTimeout(ctx, healthcheckTimeout)
	defer cancel()
	u := "http://" + net.JoinHostPort(a.dialHost(), strconv.Itoa(a.port)) + server.HealthPath
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return fmt.Errorf("healthcheck %s: %w", u, err)
	}
	res, err := localClient().Do(req)
	if err != nil {
		return fmt.Errorf("healthcheck %s: %w", u, clientError(err))
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(res.Body, 200)) // what there is of it
		return fmt.Errorf("healthcheck %s: status %s: %q", u, res.Status, body)
	}
	return nil
}

// localClient is for one request to this host: through no proxy, whatever the environment says, and where it is sent.
func localClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// clientError leaves out what the caller says already: method and URL.
func clientError(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
