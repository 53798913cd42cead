package otlp

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	common "go.opentelemetry.io/proto/slim/otlp/common/v1"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// ServiceName is service.name, unless it is given: what sends the telemetry is loadgen, and the service under test is the
// server.address of each data point.
const ServiceName = "loadgen"

// resourceOf are the attributes of whoever sends: this generator, in this run. Later ones with a key that was there
// replace it.
func resourceOf(m *result.Meta, more []Attribute) []*common.KeyValue {
	g := &m.Generator
	own := []Attribute{
		{"service.name", ServiceName},
		{"service.version", g.Version},
		{"service.instance.id", m.ID}, // unique: no two generators of a run have the same id
		{"host.name", g.Hostname},
		{"os.type", g.OS},
		{"host.arch", g.Arch},
		{"process.runtime.name", "go"},
		{"process.runtime.version", strings.TrimPrefix(g.Go, "go")},
		{"loadgen.run.name", m.Plan.Name},
		{"loadgen.run.model", string(m.Plan.Model)},
	}
	if t := g.Task; t != nil {
		own = append(own, []Attribute{
			{"cloud.provider", "aws"},
			{"cloud.platform", "aws_ecs"},
			{"aws.ecs.task.arn", t.ARN},
			{"aws.ecs.task.family", t.Family},
			{"aws.ecs.cluster.arn", t.Cluster},
		}...)
	}
	keys := make([]string, 0, len(m.Plan.Tags))
	for key := range m.Plan.Tags {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		own = append(own, Attribute{"loadgen.tag." + key, m.Plan.Tags[key]})
	}
	var all []*common.KeyValue
	for _, a := range append(own, more...) {
		if a.Value == "" {
			continue
		}
		if i := slices.IndexFunc(all, func(kv *common.KeyValue) bool { return kv.Key == a.Key }); i >= 0 {
			all[i] = text(a.Key, a.Value)
			continue
		}
		all = append(all, text(a.Key, a.Value))
	}
	return all
}

// endpointAttributes are those of an endpoint's data points: what the semantic conventions require of an HTTP client, and
// the endpoint's name.
func endpointAttributes(e plan.Endpoint) []*common.KeyValue {
	all := []*common.KeyValue{text("loadgen.endpoint", e.Name), text("http.request.method", method(e.Method))}
	if method(e.Method) != e.Method {
		all = append(all, text("http.request.method_original", e.Method))
	}
	u, err := url.Parse(e.URL)
	if err != nil || u.Hostname() == "" {
		return all // it has a reference where its address would be
	}
	all = append(all, text("server.address", u.Hostname()), text("url.scheme", u.Scheme))
	port := map[string]int64{"http": 80, "https": 443}[u.Scheme]
	if n, err := strconv.ParseInt(u.Port(), 10, 32); err == nil {
		port = n
	}
	return append(all, number("server.port", port))
}

// method is a method as the semantic conventions have it: one of RFC 9110 and PATCH, else _OTHER.
func method(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH":
		return m
	}
	return anyError
}
