package publish

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go/encoding/cbor"
	"pgregory.net/rapid"

	"scalableappbackend/loadgen/aws/session"
)

// cloud is a CloudWatch that keeps what it accepts. It speaks the SDK's wire format, and holds callers to the limits that AWS
// documents for PutMetricData.
type cloud struct {
	*httptest.Server
	t *testing.T

	// answer, when not nil, decides on the n-th request, from 0: false when it has answered itself.
	answer func(n int, w http.ResponseWriter, r *http.Request) (accept bool)

	mu        sync.Mutex
	requests  int
	largest   int // body, before compression
	gzipped   int
	namespace string
	datums    []datum
}

// datum is one that was accepted.
type datum struct {
	name, unit, dims string // dims as "Service=a,Endpoint=b"
	at               time.Time
	resolution       int
	value            float64
	values, counts   []float64
}

func newCloud(t *testing.T) *cloud {
	c := &cloud{t: t}
	c.Server = httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(func() {
		c.Server.CloseClientConnections()
		c.Server.Close()
	})
	return c
}

// config is an AWS configuration for it.
func (c *cloud) config() aws.Config {
	return aws.Config{
		Region: "eu-central-1", BaseEndpoint: aws.String(c.URL),
		Credentials: session.Credentials(credentials.NewStaticCredentialsProvider("AKID", "SECRET", "")),
	}
}

func (c *cloud) serve(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	n := c.requests
	c.requests++
	c.mu.Unlock()
	body, gzipped := c.read(r)
	if c.answer != nil && !c.answer(n, w, r) {
		return
	}
	if problem := c.keep(body, gzipped); problem != "" {
		refuse(w, http.StatusBadRequest, "InvalidParameterValueException", problem)
		return
	}
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	_, _ = w.Write(cbor.Encode(cbor.Map{}))
}

func (c *cloud) read(r *http.Request) (body []byte, gzipped bool) {
	var in io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(in)
		if err != nil {
			c.t.Errorf("a body that is not gzip: %v", err)
			return nil, true
		}
		in, gzipped = z, true
	}
	body, err := io.ReadAll(in)
	if err != nil {
		c.t.Errorf("a body that cannot be read: %v", err)
	}
	return body, gzipped
}

// refuse answers with an error of AWS's.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	w.WriteHeader(status)
	_, _ = w.Write(cbor.Encode(cbor.Map{"__type": cbor.String("com.amazonaws.cloudwatch#" + code), "message": cbor.String(message)}))
}

// keep takes a PutMetricData, or says what AWS would not accept of it.
func (c *cloud) keep(body []byte, gzipped bool) string {
	v, err := cbor.Decode(body)
	in, ok := v.(cbor.Map)
	if err != nil || !ok {
		return fmt.Sprintf("not a map: %v", err)
	}
	list, _ := in["MetricData"].(cbor.List)
	if len(list) == 0 || len(list) > 1000 || len(body) > 1_000_000 {
		return fmt.Sprintf("%d metrics in %d bytes", len(list), len(body))
	}
	var datums []datum
	for _, x := range list {
		d, problem := decodeDatum(x.(cbor.Map))
		if problem != "" {
			return problem
		}
		datums = append(datums, d)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.namespace = string(in["Namespace"].(cbor.String))
	c.datums = append(c.datums, datums...)
	c.largest = max(c.largest, len(body))
	if gzipped {
		c.gzipped++
	}
	return ""
}

func decodeDatum(m cbor.Map) (d datum, problem string) {
	text := func(v cbor.Value) string { s, _ := v.(cbor.String); return string(s) }
	d.name, d.unit, d.resolution = text(m["MetricName"]), text(m["Unit"]), 60
	if n, ok := m["StorageResolution"].(cbor.Uint); ok {
		d.resolution = int(n)
	}
	if tag, ok := m["Timestamp"].(*cbor.Tag); ok {
		d.at = time.UnixMilli(int64(number(tag.Value) * 1000)).UTC()
	}
	dims, _ := m["Dimensions"].(cbor.List)
	var parts []string
	for _, x := range dims {
		value := text(x.(cbor.Map)["Value"])
		if value == "" || len(value) > 1024 || value[0] == ':' || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			return d, fmt.Sprintf("a dimension %q", value)
		}
		parts = append(parts, text(x.(cbor.Map)["Name"])+"="+value)
	}
	d.dims = strings.Join(parts, ",")
	for name, to := range map[string]*[]float64{"Values": &d.values, "Counts": &d.counts} {
		list, _ := m[name].(cbor.List)
		for _, v := range list {
			*to = append(*to, number(v))
		}
	}
	_, one := m["Value"]
	d.value = number(m["Value"])
	switch {
	case len(d.values) > 150 || len(d.values) != len(d.counts):
		return d, fmt.Sprintf("%d values and %d counts", len(d.values), len(d.counts))
	case one == (len(d.values) > 0):
		return d, "want a value or values"
	case d.resolution != 60 && d.resolution != 1:
		return d, "a resolution"
	case d.at.IsZero():
		return d, "no timestamp"
	}
	return d, ""
}

func number(v cbor.Value) float64 {
	switch x := v.(type) {
	case cbor.Float64:
		return float64(x)
	case cbor.Float32:
		return float64(x)
	case cbor.Uint:
		return float64(x)
	case cbor.NegInt:
		return -float64(x)
	}
	return 0
}

// of are the datums of a metric with some dimensions, in order of time.
func (c *cloud) of(name, dims string) (found []datum) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.datums {
		if d.name == name && d.dims == dims {
			found = append(found, d)
		}
	}
	slices.SortStableFunc(found, func(a, b datum) int { return a.at.Compare(b.at) })
	return found
}

// sum is the statistic Sum over all periods.
func (c *cloud) sum(name, dims string) (sum float64) {
	for _, d := range c.of(name, dims) {
		sum += d.value
		for i, v := range d.values {
			sum += v * d.counts[i]
		}
	}
	return sum
}

// names are those of all metrics, with their dimensions.
func (c *cloud) names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[string]bool{}
	for _, d := range c.datums {
		all[d.name+" "+d.dims] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// distribution is all values of a metric and their counts, as CloudWatch would add them up.
func (c *cloud) distribution(name, dims string) map[float64]int64 {
	all := map[float64]int64{}
	for _, d := range c.of(name, dims) {
		for i, v := range d.values {
			all[v] += int64(d.counts[i])
		}
	}
	return all
}

// rotating is a provider whose n-th credentials are old until they were renewed often enough.
type rotating struct {
	mu       sync.Mutex
	gave     int
	lastsFor time.Duration
}

func (p *rotating) Retrieve(context.Context) (aws.Credentials, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gave++
	return aws.Credentials{AccessKeyID: fmt.Sprintf("AKID%d", p.gave), SecretAccessKey: "S", CanExpire: true, Expires: time.Now().Add(p.lastsFor)}, nil
}

// encoded is a datum as the SDK writes it, with what a call needs around it.
func encoded(t *rapid.T, d types.MetricDatum) (body []byte) {
	client := cloudwatch.New(cloudwatch.Options{
		Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("A", "B", ""), Retryer: aws.NopRetryer{}, DisableRequestCompression: true,
		HTTPClient: doer(func(r *http.Request) (*http.Response, error) {
			var err error
			if body, err = io.ReadAll(r.Body); err != nil {
				t.Fatal(err)
			}
			return nil, io.EOF
		}),
	})
	_, _ = client.PutMetricData(context.Background(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("N"), MetricData: []types.MetricDatum{d}})
	if len(body) == 0 {
		t.Fatal("nothing was sent")
	}
	return body
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }
