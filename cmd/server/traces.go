package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/otlphttp"
	"scalableappbackend/server"
	"scalableappbackend/server/tracing"
)

// tracesTimeout is how long spans that are left may take at the end. With a drain delay of 5 s and a grace of 20 s it is
// still within the 30 s between Fargate's SIGTERM and SIGKILL.
const tracesTimeout = 3 * time.Second

// serviceName is what spans are of, unless OTEL_SERVICE_NAME says otherwise.
const serviceName = "server"

// parseTraces reads OpenTelemetry's own variables
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/); nil when requests are not to be
// traced. Its errors are one line.
func parseTraces(lookup func(string) (string, bool)) (*tracing.Config, error) {
	var name string // of the variable that was read last
	variable := func(names ...string) string {
		for _, each := range names {
			if v, ok := lookup(each); ok && strings.TrimSpace(v) != "" {
				name = each
				return strings.TrimSpace(v)
			}
		}
		return ""
	}
	if off, _ := strconv.ParseBool(strings.ToLower(variable("OTEL_SDK_DISABLED"))); off || variable("OTEL_TRACES_EXPORTER") == "none" {
		return nil, nil
	}
	endpoint := variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	if endpoint == "" {
		return nil, nil
	}
	said := func(err error) error { return input.WithField(err, name) }
	cfg := &tracing.Config{Routes: []string{server.RootPath, server.HealthPath}, Quiet: []string{server.HealthPath}}
	var err error
	if cfg.URL, err = otlphttp.SignalURL(endpoint, otlphttp.TracesPath); err != nil {
		return nil, said(err)
	}
	if p := variable("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"); p != "" && p != "http/protobuf" {
		return nil, said(input.Refuse(p, "http/protobuf"))
	}
	if h := variable("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"); h != "" {
		if cfg.Header, err = otlphttp.ParseHeaders(h); err != nil {
			return nil, said(err)
		}
	}
	if cfg.Sampler, err = parseSampler(variable("OTEL_TRACES_SAMPLER"), variable("OTEL_TRACES_SAMPLER_ARG")); err != nil {
		return nil, err
	}
	cfg.Resource = []otlphttp.Pair{{Key: "service.name", Value: serviceName}}
	if attributes := variable("OTEL_RESOURCE_ATTRIBUTES"); attributes != "" {
		pairs, err := otlphttp.ParsePairs(attributes)
		if err != nil {
			return nil, said(err)
		}
		for _, p := range pairs {
			set(&cfg.Resource, p.Key, p.Value)
		}
	}
	if own := variable("OTEL_SERVICE_NAME"); own != "" {
		set(&cfg.Resource, "service.name", own)
	}
	return cfg, nil
}

// set sets an attribute, once.
func set(pairs *[]otlphttp.Pair, key, value string) {
	for i := range *pairs {
		if (*pairs)[i].Key == key {
			(*pairs)[i].Value = value
			return
		}
	}
	*pairs = append(*pairs, otlphttp.Pair{Key: key, Value: value})
}

// parseSampler reads OTEL_TRACES_SAMPLER and its argument.
func parseSampler(name, arg string) (tracing.Sampler, error) {
	s := tracing.Sampler{Ratio: 1}
	kind, parentBased := strings.CutPrefix(name, "parentbased_")
	s.IgnoreParent = name != "" && !parentBased
	switch kind {
	case "", "always_on":
	case "always_off":
		s.Ratio = 0
	case "traceidratio":
		ratio, err := strconv.ParseFloat(arg, 64)
		if arg == "" {
			ratio, err = 1, nil
		}
		if err != nil || !(0 <= ratio && ratio <= 1) {
			return s, fmt.Errorf("OTEL_TRACES_SAMPLER_ARG %q: want a share of the requests, 0 to 1", arg)
		}
		s.Ratio = ratio
	default:
		return s, fmt.Errorf("OTEL_TRACES_SAMPLER %q: want always_on, always_off or traceidratio, each also with parentbased_ before it", name)
	}
	return s, nil
}

// traced is a server's Wrap and what ends it. Without a configuration it is no Wrap at all: a request costs what it costs
// without this file.
func traced(cfg *tracing.Config, version, instance string) (wrap func(http.Handler) http.Handler, end func(within time.Duration) error) {
	if cfg == nil {
		return nil, func(time.Duration) error { return nil }
	}
	for _, p := range []otlphttp.Pair{{Key: "service.version", Value: strings.Fields(version)[0]}, {Key: "service.instance.id", Value: instance}} {
		if p.Value != "" && !slices.ContainsFunc(cfg.Resource, func(have otlphttp.Pair) bool { return have.Key == p.Key }) {
			cfg.Resource = append(cfg.Resource, p)
		}
	}
	t := tracing.New(*cfg)
	return t.Wrap, func(within time.Duration) error {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		return t.Close(ctx)
	}
}
