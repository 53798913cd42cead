package publish

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"scalableappbackend/loadgen/result"
)

// EMF is a result.Sink that writes a line for each period, of the service and of each endpoint, in CloudWatch's embedded
// metric format
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
// It makes no call and needs no permission. A line stays below the format's limits, 100 metrics and 256 KB, by what there is
// to write: it has at most eight metrics and three dimensions. Out is written to by one goroutine at a time.
type EMF struct {
	result.NopSink
	Config Config
	Out    io.Writer

	service string
	periods *periods
	failed  error // of the first write that failed

	mu      sync.Mutex
	counted result.Delivery
}

var _ result.Deliverer = (*EMF)(nil)

// Begin notes when the run's clock read 0.
func (e *EMF) Begin(m *result.Meta) error {
	e.service = serviceOf(&e.Config, m)
	e.periods = newPeriods(&e.Config, m, false)
	return nil
}

// Window adds up a window, and writes the lines of a period that is complete.
func (e *EMF) Window(w *result.Window) error {
	e.write(e.periods.add(w))
	return nil
}

// Close writes the last period.
func (e *EMF) Close() error {
	if e.periods != nil {
		e.write(e.periods.flush())
	}
	return nil
}

// Finish writes the verdict. Its error is that a line could not be written.
func (e *EMF) Finish(r *result.Result) error {
	if e.periods == nil {
		return nil
	}
	e.write(e.periods.verdict(r))
	return e.failed
}

// Deliveries is what was written so far.
func (e *EMF) Deliveries() []result.Delivery {
	e.mu.Lock()
	d := e.counted
	e.mu.Unlock()
	d.To = fmt.Sprintf("EMF on stdout, namespace %s, service %s", e.Config.namespace(), e.service)
	d.What = "lines"
	return []result.Delivery{d}
}

// write writes the points of a period, those of one set of dimensions in one line.
func (e *EMF) write(points []point) {
	for _, line := range emfLines(points, e.service, &e.Config) {
		_, err := e.Out.Write(line)
		e.count(err)
	}
}

func (e *EMF) count(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil {
		e.counted.Sent++
		return
	}
	e.counted.Lost++
	if e.failed == nil {
		e.failed, e.counted.Reason = fmt.Errorf("--emf: %w", err), err.Error()
	}
}

type emfDirective struct {
	Namespace  string      `json:"Namespace"`
	Dimensions [][]string  `json:"Dimensions"`
	Metrics    []emfMetric `json:"Metrics"`
}

type emfMetric struct {
	Name              string `json:"Name"`
	Unit              string `json:"Unit"`
	StorageResolution int    `json:"StorageResolution,omitempty"`
}

type emfHead struct {
	Timestamp         int64          `json:"Timestamp"` // milliseconds
	CloudWatchMetrics []emfDirective `json:"CloudWatchMetrics"`
}

// emfLines are points of one period as lines. Those of a run stand beside those of its service, which have the same values:
// they are a second set of dimensions of the same line.
func emfLines(points []point, service string, c *Config) (lines [][]byte) {
	for len(points) > 0 {
		first := points[0]
		n := slices.IndexFunc(points, func(p point) bool { return p.endpoint != first.endpoint || !p.at.Equal(first.at) })
		if n < 0 {
			n = len(points)
		}
		mine := points[:n]
		points = points[n:]
		d := emfDirective{Namespace: c.namespace(), Dimensions: [][]string{{DimensionService}}}
		line := map[string]any{DimensionService: service}
		if first.endpoint != "" {
			d.Dimensions[0] = append(d.Dimensions[0], DimensionEndpoint)
			line[DimensionEndpoint] = first.endpoint
		}
		for i := range mine {
			p := &mine[i]
			if p.run != "" {
				if line[DimensionRun] == nil {
					d.Dimensions = append(d.Dimensions, []string{DimensionService, DimensionRun})
					line[DimensionRun] = p.run
				}
				continue
			}
			m := emfMetric{Name: p.metric.Name, Unit: p.metric.Unit}
			if c.resolution() < time.Minute {
				m.StorageResolution = 1
			}
			d.Metrics = append(d.Metrics, m)
			line[m.Name] = p.value
		}
		line["_aws"] = emfHead{Timestamp: first.at.UnixMilli(), CloudWatchMetrics: []emfDirective{d}}
		lines = append(lines, encodeLine(line))
	}
	return lines
}

// encodeLine is a JSON object with a line end.
func encodeLine(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // of numbers that are finite and text: it does not fail
	return b.Bytes()
}
