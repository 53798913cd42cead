package report

import (
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/document"
	"scalableappbackend/loadgen/timeline"
)

// Measures of the picture, in its own units, which are pixels where it is shown at full size.
const (
	svgWidth    = 960
	svgLeft     = 104 // of the plots
	svgRight    = 944 // of the plots
	svgTop      = 90  // of the first plot
	svgPlot     = 128 // height of a plot
	svgGap      = 44  // between two plots: the lower one's heading
	svgColumns  = 424 // at most: one for two pixels
	svgAxisRoom = 48
)

// svgStyle has the colours for a light and a dark page. The reader's system chooses: a picture in a web page sees no more of
// the page than that.
const svgStyle = `
svg{color-scheme:light dark;--ground:#fff;--ink:#1f2328;--faint:#59636e;--rule:#d1d9e0;--a:#0969da;--b:#bc4c00;--c:#1a7f37}
@media (prefers-color-scheme:dark){svg{--ground:#0d1117;--ink:#f0f6fc;--faint:#9198a1;--rule:#3d444d;--a:#4493f8;--b:#f0883e;--c:#3fb950}}
.ground{fill:var(--ground)}
text{font:13px ui-sans-serif,system-ui,"Segoe UI",Helvetica,Arial,sans-serif;fill:var(--ink)}
.title{font-size:17px;font-weight:600}.faint{fill:var(--faint)}.end{text-anchor:end}.middle{text-anchor:middle}
.rule{stroke:var(--rule);stroke-width:1;fill:none}.mark{stroke:var(--faint);stroke-dasharray:2 3;fill:none}
.line{fill:none;stroke-width:2;stroke-linejoin:round}.area{fill-opacity:.14}
.a{stroke:var(--a)}.b{stroke:var(--b)}.c{stroke:var(--c)}path.area{stroke:none}.area.a{fill:var(--a)}.area.b{fill:var(--b)}.area.c{fill:var(--c)}.dash{stroke-dasharray:6 4}
text.a{fill:var(--a);stroke:none}text.b{fill:var(--b);stroke:none}text.c{fill:var(--c);stroke:none}
`

// SVG draws load, latency and, where there is a timeline, capacity on one axis of time, for light and for dark pages. Every
// point of a curve is a second of the run, or one of svgColumns equal parts of a long one: requests a second, and percentiles
// of the corrected latencies that completed in it, from added histograms. Capacity is drawn at the instants that the timeline
// has. It returns what writing, or reading the windows, failed with.
func SVG(w io.Writer, in Input) error {
	if in.Windows == nil {
		return errNoWindows
	}
	p, err := newPicture(in)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, p.draw(in))
	return err
}

// picture is what is drawn, before it has a form.
type picture struct {
	length  time.Duration
	columns int
	plots   []plot
}

// plot is curves over one scale, which begins at 0.
type plot struct {
	name   string
	most   float64 // at the upper edge
	text   func(float64) string
	curves []curve
}

// curve is a line: of a value in each column, or of values that hold from an instant on.
type curve struct {
	name, class string
	values      []float64
	steps       []step
	filled      bool
}

type step struct {
	at    time.Duration
	value float64
}

func newPicture(in Input) (*picture, error) {
	length, err := lengthOf(in)
	if err != nil {
		return nil, err
	}
	if length <= 0 {
		return nil, fmt.Errorf("report: the run took no time, so there is nothing to draw")
	}
	p := &picture{length: length, columns: min(max(int(math.Round(length.Seconds())), 1), svgColumns)}
	of := loadSpan{to: sendingEnded(in.Result), end: length}
	if in.Timeline != nil {
		of.from, of.to = in.Timeline.LoadFrom, in.Timeline.LoadTo
	}
	load, err := ofWindows(of, in.Windows)
	if err != nil {
		return nil, err
	}
	if len(load) > 0 {
		values := func(i int) []float64 { return load[i].Values(length, p.columns) }
		p.add(plot{name: "requests per second", text: units.Decimal, curves: []curve{
			{name: "offered", class: "a dash", values: values(seriesOffered)},
			{name: "completed", class: "a", values: values(seriesDone), filled: true},
		}})
		p.add(plot{name: "corrected latency", text: units.Milliseconds, curves: []curve{
			{name: "p99", class: "b", values: values(seriesP99)},
			{name: "p50", class: "b dash", values: values(seriesP50)},
		}})
	}
	if t := in.Timeline; t != nil && len(t.Points) > 0 {
		p.add(plot{name: "tasks", text: units.Decimal, curves: []curve{
			{name: "desired", class: "c dash", steps: stepsOf(t, func(x timeline.Point) int { return x.Desired })},
			{name: "healthy", class: "c", steps: stepsOf(t, func(x timeline.Point) int { return x.Healthy }), filled: true},
		}})
	}
	return p, nil
}

// lengthOf is how long there is something to draw: until the last window and the timeline's end.
func lengthOf(in Input) (length time.Duration, err error) {
	for w, err := range in.Windows {
		if err != nil {
			return 0, err
		}
		length = max(length, w.To)
	}
	if in.Timeline != nil {
		length = max(length, in.Timeline.End)
	}
	return length, nil
}

func stepsOf(t *timeline.Timeline, count func(timeline.Point) int) []step {
	var all []step
	for _, point := range t.Points {
		s := step{max(point.At, 0), float64(count(point))}
		switch n := len(all); {
		case n > 0 && all[n-1].at == s.at: // of two at once the later one holds
			all[n-1] = s
		case n == 0 || all[n-1].value != s.value:
			all = append(all, s)
		}
	}
	return all
}

// add gives a plot its scale, and leaves out one that has nothing to show.
func (p *picture) add(one plot) {
	known := false
	for _, c := range one.curves {
		for _, v := range c.values {
			if !math.IsNaN(v) {
				one.most, known = max(one.most, v), true
			}
		}
		for _, s := range c.steps {
			one.most, known = max(one.most, s.value), true
		}
	}
	if one.most = roundUp(one.most); known {
		p.plots = append(p.plots, one)
	}
}

// roundUp is the next of 1, 2, 3, 4, 5, 6, 8, 10 with a power of ten.
func roundUp(x float64) float64 {
	if x <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 3, 4, 5, 6, 8} {
		if m*power >= x {
			return m * power
		}
	}
	return 10 * power
}

func (p *picture) x(at time.Duration) float64 {
	return svgLeft + (svgRight-svgLeft)*min(at.Seconds()/p.length.Seconds(), 1)
}

// y is where a value of a plot lies below the plot's upper edge.
func (o plot) y(value float64) float64 { return svgPlot * (1 - value/o.most) }

func (p *picture) draw(in Input) string {
	var b strings.Builder
	height := svgTop + len(p.plots)*(svgPlot+svgGap) - svgGap + svgAxisRoom
	heading := document.Clean(string(in.Result.Verdict.Validity) + ": " + load(in.Result))
	below := document.Clean(sum(in.Result, in.Expectations))
	if t := in.Timeline; t != nil && path(t) != "" {
		below += "; tasks " + path(t)
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label=%s>`+"\n<style>%s</style>\n", svgWidth, height, quoteXML(heading+". "+below), svgStyle)
	fmt.Fprintf(&b, "<rect class=\"ground\" width=\"%d\" height=\"%d\"/>\n", svgWidth, height)
	svgText(&b, 16, 28, "title", heading)
	svgText(&b, 16, 49, "faint", below)
	bottom := float64(svgTop + len(p.plots)*(svgPlot+svgGap) - svgGap)
	p.axis(&b, bottom, in.Timeline)
	for i, o := range p.plots {
		p.plot(&b, o, float64(svgTop+i*(svgPlot+svgGap)))
	}
	if in.Timeline != nil {
		p.events(&b, in.Timeline, bottom)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (p *picture) plot(b *strings.Builder, o plot, top float64) {
	fmt.Fprintf(b, "<g data-plot=%s data-most=\"%s\" transform=\"translate(0 %s)\">\n", quoteXML(o.name), strconv.FormatFloat(o.most, 'g', -1, 64), coordinate(top))
	svgText(b, svgLeft, -8, "", o.name)
	x := float64(svgRight)
	for _, c := range slices.Backward(o.curves) {
		svgText(b, x, -8, "end "+c.class, c.name)
		x -= 7.5*float64(len(c.name)) + 24 // letters, about; and the sample of its line
		fmt.Fprintf(b, "<path class=\"line %s\" d=\"M%s -12h18\"/>\n", c.class, coordinate(x))
		x -= 20
	}
	for _, share := range []float64{0, 0.5, 1} {
		y := o.y(o.most * share)
		fmt.Fprintf(b, "<path class=\"rule\" d=\"M%d %sH%d\"/>\n", svgLeft, coordinate(y), svgRight)
		if value := o.most * share; o.name != "tasks" || value == math.Trunc(value) {
			svgText(b, svgLeft-8, y+4, "faint end", o.text(value))
		}
	}
	for _, c := range o.curves {
		if c.filled {
			fmt.Fprintf(b, "<path class=\"area %s\" d=\"%s\"/>\n", c.class, p.line(o, c, true))
		}
		fmt.Fprintf(b, "<path class=\"line %s\" data-curve=%s d=\"%s\"/>\n", c.class, quoteXML(c.name), p.line(o, c, false))
	}
	b.WriteString("</g>\n")
}

// line is a curve as a path. A gap in what is known is a gap in it. A filled one is closed along the scale's 0.
func (p *picture) line(o plot, c curve, filled bool) string {
	var b strings.Builder
	zero := coordinate(o.y(0))
	if c.steps != nil {
		for i, s := range c.steps {
			x, y := coordinate(p.x(s.at)), coordinate(o.y(s.value))
			switch {
			case i > 0:
				b.WriteString("H" + x + "V" + y)
			case filled:
				b.WriteString("M" + x + " " + zero + "V" + y)
			default:
				b.WriteString("M" + x + " " + y)
			}
		}
		b.WriteString("H" + coordinate(p.x(p.length)))
		if filled {
			b.WriteString("V" + zero + "Z")
		}
		return b.String()
	}
	open := false
	x := ""
	end := func() {
		if open && filled {
			b.WriteString("L" + x + " " + zero + "Z")
		}
		open = false
	}
	for i, v := range c.values {
		if math.IsNaN(v) {
			end()
			continue
		}
		x = coordinate(p.x(time.Duration((float64(i) + 0.5) / float64(p.columns) * float64(p.length))))
		y := coordinate(o.y(v))
		switch {
		case open:
			b.WriteString("L" + x + " " + y)
		case filled:
			b.WriteString("M" + x + " " + zero + "L" + x + " " + y)
		default:
			b.WriteString("M" + x + " " + y)
		}
		open = true
	}
	end()
	return b.String()
}

// axis has the time below the plots: the run's, and the service's where that is another one.
func (p *picture) axis(b *strings.Builder, bottom float64, t *timeline.Timeline) {
	const apart = 90 // pixels from label to label at least
	step := document.AxisStep(apart / (svgRight - svgLeft) * p.length.Seconds())
	clock := clocks(1)
	if t != nil {
		clock = clocksOf(t)
	}
	svgText(b, 16, bottom+18, "faint", "run time")
	if clock.apart() {
		svgText(b, 16, bottom+36, "faint", "simulated")
	}
	for at := time.Duration(0); at <= p.length; at += step {
		x := p.x(at)
		fmt.Fprintf(b, "<path class=\"rule\" d=\"M%s %sv5\"/>\n", coordinate(x), coordinate(bottom))
		svgText(b, x, bottom+18, "faint middle", units.Clock(at))
		if clock.apart() {
			svgText(b, x, bottom+36, "faint middle", units.Clock(clock.service(at)))
		}
	}
}

// events are lines down all plots, for the end of the load and for what else happened.
func (p *picture) events(b *strings.Builder, t *timeline.Timeline, bottom float64) {
	mark := func(at time.Duration, text string) {
		fmt.Fprintf(b, "<path class=\"mark\" d=\"M%s %dV%s\"><title>%s</title></path>\n", coordinate(p.x(at)), svgTop, coordinate(bottom), html.EscapeString(text))
	}
	if t.LoadTo > 0 && t.LoadTo < p.length {
		mark(t.LoadTo, "load ends")
		svgText(b, p.x(t.LoadTo)+5, svgTop+14, "faint", "load ends")
	}
	for _, e := range shownEvents(t) {
		mark(e.At, document.Clean(e.Type+" "+e.Detail))
	}
}

func svgText(b *strings.Builder, x, y float64, class, text string) {
	fmt.Fprintf(b, "<text x=\"%s\" y=\"%s\"", coordinate(x), coordinate(y))
	if class != "" {
		fmt.Fprintf(b, " class=%s", quoteXML(class))
	}
	fmt.Fprintf(b, ">%s</text>\n", html.EscapeString(text))
}

func quoteXML(text string) string { return `"` + html.EscapeString(text) + `"` }

// coordinate has a tenth of a pixel.
func coordinate(x float64) string {
	return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64)
}
