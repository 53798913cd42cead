package publish

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// List prices in US dollars, us-east-1, without the free tier and rebates
// (https://aws.amazon.com/cloudwatch/pricing/): a custom metric is each name with each set of dimensions, is charged by the
// hour in which it was published, and costs the same at both resolutions.
const (
	metricMonth = 0.30 // a metric, of the first 10,000
	monthHours  = 730
	callPrice   = 0.01 / 1000 // a PutMetricData
	logsPrice   = 0.50        // a GB of CloudWatch Logs
)

// Forecast is what a run would publish in an hour.
type Forecast struct {
	Namespace, Service, Run string
	Resolution              time.Duration
	Endpoints               []string // as dimensions
	Metrics                 []Metric // in the order of the package's Metrics
	IsEMF                   bool

	Count     int     // of metrics: names with their dimensions
	Calls     float64 // a lower bound of PutMetricData calls an hour; 0 with EMF
	LogBytes  float64 // an hour, with EMF
	PerHour   float64 // dollars
	PerMinute int     // datums a minute at least: a distribution may need several
}

// NewForecast is of a run that m describes.
func NewForecast(c Config, m *result.Meta, emf bool) Forecast {
	f := Forecast{
		Namespace: c.namespace(), Service: serviceOf(&c, m), Resolution: c.resolution(), IsEMF: emf,
		Metrics: metricsOf(m.Plan.Model != plan.Open, c.Several, !emf),
	}
	if c.Run {
		f.Run = runOf(m)
		if f.Run == "" {
			f.Run = "the result's id"
		}
	}
	for _, e := range m.Endpoints {
		f.Endpoints = append(f.Endpoints, dimension(e.Name))
	}
	perPeriod := 0
	for i := range f.Metrics {
		n := f.sets(&f.Metrics[i])
		f.Count += n
		if f.Metrics[i].Kind != AtEnd {
			perPeriod += n
		}
	}
	periods := float64(time.Hour / f.Resolution)
	f.PerMinute = perPeriod * int(time.Minute/f.Resolution)
	f.PerHour = float64(f.Count) * metricMonth / monthHours
	if emf {
		f.LogBytes = periods * float64(f.lineBytes(&c))
		f.PerHour += f.LogBytes / 1e9 * logsPrice
		return f
	}
	f.Calls = float64(time.Hour / max(f.Resolution, together))
	f.Calls *= float64(1 + (perPeriod*int(max(f.Resolution, together)/f.Resolution)-1)/maxDatums)
	f.PerHour += f.Calls * callPrice
	return f
}

// sets is how many sets of dimensions a metric is published with.
func (f *Forecast) sets(m *Metric) int {
	n := 1
	if f.Run != "" {
		n++
	}
	if m.PerEndpoint {
		n += len(f.Endpoints)
	}
	return n
}

// lineBytes is how long the lines of a period are, with values of six digits.
func (f *Forecast) lineBytes(c *Config) (n int) {
	var points []point
	for i := -1; i < len(f.Endpoints); i++ {
		for j := range f.Metrics {
			m := &f.Metrics[j]
			p := point{metric: m, at: time.Unix(1_800_000_000, 0), value: 123456}
			if m.Kind == AtEnd || i >= 0 && !m.PerEndpoint {
				continue
			}
			if i >= 0 {
				p.endpoint = f.Endpoints[i]
			}
			points = append(points, p)
			if i < 0 && f.Run != "" {
				p.run = f.Run
				points = append(points, p)
			}
		}
	}
	for _, line := range emfLines(points, f.Service, c) {
		n += len(line) + 26 // which CloudWatch Logs adds to an event
	}
	return n
}

// Write writes the forecast as text.
func (f *Forecast) Write(w io.Writer) error {
	how := "by PutMetricData"
	if f.IsEMF {
		how = "as EMF lines on stdout"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Would publish to CloudWatch %s, every %s, in namespace %s:\n\n", how, units.Duration(f.Resolution), f.Namespace)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for i := range f.Metrics {
		m := &f.Metrics[i]
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", m.Name, m.Unit, m.Kind, m.Means)
	}
	t.Flush()
	fmt.Fprintf(&b, "\nof these, with the dimensions\n\n  {Service=%s}  all\n", f.Service)
	if f.Run != "" {
		fmt.Fprintf(&b, "  {Service=%s, Run=%s}  all: each run makes metrics of its own\n", f.Service, f.Run)
	}
	var names []string
	for i := range f.Metrics {
		if f.Metrics[i].PerEndpoint {
			names = append(names, f.Metrics[i].Name)
		}
	}
	for _, e := range f.Endpoints {
		fmt.Fprintf(&b, "  {Service=%s, Endpoint=%s}  %s\n", f.Service, e, strings.Join(names, ", "))
	}
	fmt.Fprintf(&b, "\nCost: about $%.4f an hour of load, by the list prices of us-east-1\n", f.PerHour)
	fmt.Fprintf(&b, "  %s metrics at $%.2f a month each, charged by the hour: $%.4f\n", units.Count(int64(f.Count)), metricMonth, float64(f.Count)*metricMonth/monthHours)
	if f.IsEMF {
		fmt.Fprintf(&b, "  %s of logs at $%.2f a GB: $%.4f\n", units.Bytes(int64(f.LogBytes)), logsPrice, f.LogBytes/1e9*logsPrice)
	} else {
		fmt.Fprintf(&b, "  %s calls at $0.01 a thousand: $%.4f\n", units.Count(int64(f.Calls)), f.Calls*callPrice)
	}
	b.WriteString("Nothing was sent: no load, and no metrics.\n")
	_, err := io.WriteString(w, b.String())
	return err
}
