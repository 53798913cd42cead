package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"scalableappbackend/server"
	"scalableappbackend/server/tracing"
)

const (
	defaultAddr       = ":8080"
	defaultDrainDelay = 5 * time.Second
)

const usage = `server answers GET / and GET /health with small JSON; X-Served-By names the instance.

  server                           on port 8080 of every address, until SIGTERM or SIGINT
  server -addr 127.0.0.1:9000      elsewhere
  server healthcheck               ask the server of the same -addr: exit 0 when /health answers 200, else 1

flag                environment             default
-addr [HOST]:PORT   SERVER_ADDR             :8080  where to listen
-drain-delay D      SERVER_DRAIN_DELAY      5s     after a signal /health answers 503 and serving goes on for this long
-shutdown-grace D   SERVER_SHUTDOWN_GRACE   20s    then requests in flight have this long to finish
-version                                           print the version

OTEL_EXPORTER_OTLP_ENDPOINT sends a span of each request that is traced to an OpenTelemetry receiver, over HTTP. A trace that
comes with a request (traceparent) is continued. OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES and
OTEL_TRACES_SAMPLER are read as well.

A second signal ends it at once. A flag wins over its environment variable; an empty variable counts as not set.
exit codes: 0 served and drained, 1 could not serve or was cut short, 2 usage
`

// config is what one command line asks for.
type config struct {
	version, healthcheck bool

	addr       addr
	drainDelay time.Duration
	grace      time.Duration
	traces     *tracing.Config // nil: requests are not traced
}

// addr is a TCP address and the name under which the user gave it, for messages.
type addr struct {
	setting string // "-addr" or "SERVER_ADDR"
	text    string // as given
	host    string // may be empty: every address
	port    int
}

func (a addr) errorf(format string, args ...any) error {
	return fmt.Errorf("%s %q: "+format, append([]any{a.setting, a.text}, args...)...)
}

// parse reads flags, then environment, then defaults. Its errors are one line; flag.ErrHelp asks for usage.
func parse(args []string, lookup func(string) (string, bool)) (config, error) {
	var cfg config
	if len(args) > 0 && args[0] == "healthcheck" {
		cfg.healthcheck, args = true, args[1:]
	}
	// The flags are plain strings: the message is then ours, and the same for a flag and its variable.
	fs := flag.NewFlagSet("server", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	addrFlag := fs.String("addr", "", "")
	delayFlag := fs.String("drain-delay", "", "")
	graceFlag := fs.String("shutdown-grace", "", "")
	fs.BoolVar(&cfg.version, "version", false, "")
	if err := fs.Parse(args); err != nil {
		return cfg, fmt.Errorf("%w (server -h lists the flags)", err)
	}
	if fs.NArg() > 0 {
		return cfg, fmt.Errorf("argument %q: want only flags, or healthcheck before them", fs.Arg(0))
	}

	given := make(map[string]bool)
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	value := func(name, text, fallback string) (setting, value string) {
		if given[name] {
			return "-" + name, text
		}
		variable := "SERVER_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if v, ok := lookup(variable); ok && v != "" {
			return variable, v
		}
		return "-" + name, fallback
	}
	var err error
	if cfg.addr, err = parseAddr(value("addr", *addrFlag, defaultAddr)); err != nil {
		return cfg, err
	}
	if cfg.healthcheck && cfg.addr.port == 0 {
		return cfg, cfg.addr.errorf("want the port that the server listens on, e.g. %s", defaultAddr)
	}
	if cfg.drainDelay, err = parseDelay(value("drain-delay", *delayFlag, defaultDrainDelay.String())); err != nil {
		return cfg, err
	}
	cfg.grace, err = parseDelay(value("shutdown-grace", *graceFlag, server.DefaultGrace.String()))
	cfg.grace = cmp.Or(cfg.grace, -1) // for the package 0 means the default; the user means none
	if err == nil && !cfg.healthcheck {
		cfg.traces, err = parseTraces(lookup)
	}
	return cfg, err
}

// parseAddr takes [HOST]:PORT; the port is a number or a service's name, as net.Listen would take it.
func parseAddr(setting, text string) (addr, error) {
	a := addr{setting: setting, text: text}
	host, service, err := net.SplitHostPort(text)
	if err != nil || service == "" {
		return a, a.errorf("want [HOST]:PORT, e.g. %s or 127.0.0.1:9000", defaultAddr)
	}
	a.host = host
	if a.port, err = net.LookupPort("tcp", service); err != nil {
		return a, a.errorf("port %q: want 0 to 65535", service)
	}
	return a, nil
}

func parseDelay(setting, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s %q: want a duration of 0 or more, e.g. 5s or 1m30s", setting, text)
	}
	return d, nil
}

// dialHost is where a client on this machine reaches a server that listens on a. Go's wildcard listeners, [::] too,
// accept IPv4, and unlike ::1 127.0.0.1 exists in every network namespace.
func (a addr) dialHost() string {
	if ip, err := netip.ParseAddr(a.host); a.host == "" || err == nil && ip.IsUnspecified() {
		return "127.0.0.1"
	}
	return a.host
}
