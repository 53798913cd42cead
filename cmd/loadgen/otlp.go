package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/otlphttp"
	"scalableappbackend/loadgen/aws/session"
	"scalableappbackend/loadgen/otlp"
)

// OpenTelemetry's own variables, which say how and as whom to send; where to is said by --otlp alone, so that a variable
// that a service's container has anyhow starts nothing here.
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/
const (
	otelHeaders        = "OTEL_EXPORTER_OTLP_HEADERS"
	otelMetricsHeaders = "OTEL_EXPORTER_OTLP_METRICS_HEADERS" // of metrics alone; wins
	otelTemporality    = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
	otelInterval       = "OTEL_METRIC_EXPORT_INTERVAL" // milliseconds
	otelAttributes     = "OTEL_RESOURCE_ATTRIBUTES"
	otelServiceName    = "OTEL_SERVICE_NAME" // wins over service.name in the attributes
)

func otlpSetting() setting {
	return setting{flag: "otlp", arg: "URL", group: groupResult,
		help: "send metrics to OpenTelemetry, e.g. http://localhost:4318",
		set:  one(parseOTLP, func(o *options, s string) { o.otlp = s })}
}

func parseOTLP(text string) (string, error) { return otlphttp.SignalURL(text, otlphttp.MetricsPath) }

// maxInterval is the longest OTEL_METRIC_EXPORT_INTERVAL: a longer one is of another unit.
const maxInterval = time.Hour

// otlpSink is the sink of --otlp; nil without it. The error is of what was given.
func (e *env) otlpSink(ctx context.Context, r *resolution) (*otlp.Sink, error) {
	if r.otlp == "" {
		return nil, nil
	}
	cfg := otlp.Config{URL: r.otlp, Transport: http.DefaultTransport}
	var errs []error
	read := func(name string, parse func(string) error) {
		if text, ok := e.variable(name); ok {
			errs = append(errs, input.WithField(parse(text), name))
		}
	}
	headers := func(text string) (err error) {
		cfg.Header, err = otlphttp.ParseHeaders(text)
		return err
	}
	if _, own := e.variable(otelMetricsHeaders); own {
		read(otelMetricsHeaders, headers)
	} else {
		read(otelHeaders, headers)
	}
	read(otelTemporality, func(text string) error {
		switch strings.ToLower(strings.TrimSpace(text)) {
		case "cumulative":
			cfg.Cumulative = true
		case "delta", "lowmemory": // alike for the kinds of metrics that are sent
		default:
			return input.Refuse(text, "delta or cumulative")
		}
		return nil
	})
	read(otelInterval, func(text string) error {
		ms, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
		cfg.Every = time.Duration(ms) * time.Millisecond
		if err != nil || cfg.Every < time.Second || cfg.Every > maxInterval {
			return input.Refuse(text, "a number of milliseconds, 1000 to 3600000")
		}
		return nil
	})
	read(otelAttributes, func(text string) error {
		pairs, err := otlphttp.ParsePairs(text)
		for _, p := range pairs {
			cfg.Resource = append(cfg.Resource, otlp.Attribute(p))
		}
		return err
	})
	read(otelServiceName, func(text string) error {
		cfg.Resource = append(cfg.Resource, otlp.Attribute{Key: "service.name", Value: text})
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if service, region, ok := session.OTLPEndpoint(r.otlp); ok {
		signer, err := e.signer(ctx, service, region)
		if err != nil {
			return nil, refusedByAWS(r.find("otlp").name, err)
		}
		cfg.Signer = signer
	}
	return otlp.New(cfg), nil
}

// credentialsTimeout is how long it may take to find credentials before a run.
const credentialsTimeout = 10 * time.Second

// signer signs for a service of AWS. Credentials are looked for at once: that there are none is better said before the load.
func (e *env) signer(ctx context.Context, service, region string) (*session.Signer, error) {
	ctx, cancel := context.WithTimeout(ctx, credentialsTimeout)
	defer cancel()
	cfg, err := session.Load(ctx, session.Options{Region: region})
	if err == nil {
		_, err = cfg.Credentials.Retrieve(ctx)
	}
	if err != nil {
		return nil, err
	}
	return &session.Signer{Credentials: cfg.Credentials, Region: region, Service: service}, nil
}

// refusedByAWS is the error of a flag for which AWS is needed.
func refusedByAWS(name string, err error) error {
	e, ok := errors.AsType[*session.Error](session.Explain(err))
	if !ok {
		return input.WithField(err, name)
	}
	return &input.Error{Field: name, Want: e.Text, Hint: e.Hint}
}
