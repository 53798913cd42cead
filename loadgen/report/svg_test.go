package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// drawn is what a picture shows, read back from it: the points of its curves in the units of their scales.
type drawn struct {
	text   []string
	curves map[string][]drawnPoint // by plot and name
}

type drawnPoint struct {
	x, value float64
	starts   bool // there is no line to it
}

func draw(t *testing.T, in Input) drawn {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, "svg", in); err != nil {
		t.Fatal(err)
	}
	d := drawn{curves: map[string][]drawnPoint{}}
	plot, most := "", 0.0
	for dec := xml.NewDecoder(&b); ; {
		token, err := dec.Token()
		if err == io.EOF {
			return d
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			a := map[string]string{}
			for _, attr := range e.Attr {
				a[attr.Name.Local] = attr.Value
			}
			if a["data-plot"] != "" {
				plot = a["data-plot"]
				if most, err = strconv.ParseFloat(a["data-most"], 64); err != nil {
					t.Fatal(err)
				}
			}
			if a["data-curve"] != "" {
				d.curves[plot+"/"+a["data-curve"]] = pathPoints(t, a["d"], most)
			}
		case xml.CharData:
			d.text = append(d.text, string(e))
		}
	}
}

// pathPoints reads a path of absolute M, L, H and V.
func pathPoints(t *testing.T, path string, most float64) (all []drawnPoint) {
	t.Helper()
	var x, y float64
	for path != "" {
		end := strings.IndexAny(path[1:], "MLHV") + 1
		if end == 0 {
			end = len(path)
		}
		var numbers []float64
		for f := range strings.FieldsSeq(path[1:end]) {
			n, err := strconv.ParseFloat(f, 64)
			if err != nil {
				t.Fatalf("%q: %v", path[:end], err)
			}
			numbers = append(numbers, n)
		}
		switch path[0] {
		case 'H':
			x = numbers[0]
		case 'V':
			y = numbers[0]
		default:
			x, y = numbers[0], numbers[1]
		}
		all = append(all, drawnPoint{x, most * (1 - y/svgPlot), path[0] == 'M'})
		path = path[end:]
	}
	return all
}

// rounding is what a tenth of a pixel hides, of a scale.
func rounding(most float64) float64 { return most * 0.06 / svgPlot }

func lengthDrawn(s *sample, t *timeline.Timeline) time.Duration {
	length := s.windows[len(s.windows)-1].To
	if t != nil {
		length = max(length, t.End)
	}
	return length
}

func TestAPictureShowsTheRequestsThatTheWindowsHold(t *testing.T) {
	check := func(name string, s *sample, in Input) {
		d := draw(t, in)
		curve := d.curves["requests per second/completed"]
		if len(curve) == 0 {
			t.Errorf("%s: no curve", name)
			return
		}
		// The area below it is how many there were.
		length := lengthDrawn(s, in.Timeline).Seconds()
		columns := float64(min(max(int(math.Round(length)), 1), svgColumns))
		area, most := 0.0, 0.0
		for _, p := range curve {
			area += p.value * length / columns
			most = max(most, p.value)
		}
		var want float64
		for _, w := range s.windows {
			for i := range w.Endpoints {
				want += float64(w.Endpoints[i].Requests)
			}
		}
		// Of the last column, and those that a phase cuts, a part only may be known: its rate is of that.
		slack := 2*most*length/columns + rounding(roundUp(most))*length
		if math.Abs(area-want) > slack {
			t.Errorf("%s: %.0f requests below the curve, want %.0f within %.0f", name, area, want, slack)
		}
	}
	for _, s := range scaledSamples {
		check(s.name, s.made().sample, s.made().input())
	}
	check("seed", named(t, "seed"), named(t, "seed").input())
}

func TestAPictureShowsThePercentilesOfEachSecond(t *testing.T) {
	for _, s := range scaledSamples {
		run := s.made()
		length := lengthDrawn(run.sample, run.timeline)
		columns := min(max(int(math.Round(length.Seconds())), 1), svgColumns)
		latency := make([]result.Histogram, columns)
		for _, w := range run.windows {
			middle := float64(w.From+w.To) / 2 / float64(length) * float64(columns)
			from, to := middle, middle // a window longer than a column is in each whose middle it holds
			for c := range columns {
				if at := (float64(c) + 0.5) * float64(length) / float64(columns); at >= float64(w.From) && at < float64(w.To) {
					from, to = min(from, float64(c)), max(to, float64(c))
				}
			}
			for c := int(from); c <= int(to) && c < columns; c++ {
				for i := range w.Endpoints {
					latency[c].Merge(w.Endpoints[i].Corrected)
				}
			}
		}
		curve := draw(t, run.input()).curves["corrected latency/p99"]
		most, known := 0.0, 0
		for c := range latency {
			if latency[c].Count() > 0 {
				known++
				most = max(most, float64(latency[c].Quantile(0.99))/float64(time.Millisecond))
			}
		}
		if len(curve) != known {
			t.Errorf("%s: %d points, want %d", s.name, len(curve), known)
			continue
		}
		for c, i := 0, 0; c < columns; c++ {
			if latency[c].Count() == 0 {
				continue
			}
			if want := float64(latency[c].Quantile(0.99)) / float64(time.Millisecond); math.Abs(curve[i].value-want) > rounding(roundUp(most)) {
				t.Errorf("%s: p99 %.3f ms in column %d, want %.3f", s.name, curve[i].value, c, want)
			}
			i++
		}
	}
}

func TestAPictureShowsCapacityAtTheInstantsOfTheTimeline(t *testing.T) {
	for _, s := range scaledSamples {
		run := s.made()
		d := draw(t, run.input())
		for name, count := range map[string]func(timeline.Point) int{
			"desired": func(p timeline.Point) int { return p.Desired },
			"healthy": func(p timeline.Point) int { return p.Healthy },
		} {
			curve := d.curves["tasks/"+name]
			length := lengthDrawn(run.sample, run.timeline)
			for i := range run.timeline.Points {
				at := run.timeline.Points[i].At + time.Millisecond
				if at >= length {
					continue
				}
				x := svgLeft + (svgRight-svgLeft)*float64(at)/float64(length)
				got, near := math.NaN(), false
				for _, p := range curve {
					near = near || math.Abs(p.x-x) < 0.3 // a change that a pixel hides
					if p.x <= x {
						got = p.value
					}
				}
				want := float64(count(run.timeline.At(at)))
				if !near && math.Abs(got-want) > rounding(100) {
					t.Errorf("%s: %s %.2f at %v, want %g", s.name, name, got, at, want)
				}
			}
			if len(curve) < 2 || curve[len(curve)-1].x != svgRight {
				t.Errorf("%s: %s does not go on to the end", s.name, name)
			}
		}
	}
}

func TestAPictureBeginsWithTheVerdictAndLeavesOutWhatIsNotKnown(t *testing.T) {
	d := draw(t, named(t, "seed").input())
	if all := strings.Join(d.text, "\n"); !strings.Contains(all, "VALID: 50 users") || strings.Contains(all, "tasks") {
		t.Errorf("shows %s", all)
	}
	// A second without an answer is a gap, and no line through it.
	s := begin(seedPlan(), 0, "GET /")
	for i, w := range s.windows {
		if i != 5 && w.Name != plan.Drain {
			doneN(w, 0, 9, 5*ms, 0, 0)
		}
	}
	starts := 0
	for _, p := range draw(t, s.input()).curves["corrected latency/p99"] {
		if p.starts {
			starts++
		}
	}
	if starts != 2 {
		t.Errorf("the curve has %d parts, want 2", starts)
	}
}

func TestAPictureOfAnyRunIsWellFormed(t *testing.T) {
	for _, s := range samples {
		draw(t, s.made().input())
	}
	const evil = "</text><script>alert(1)</script>&\"'\x1b[2J\x00\xff"
	p := seedPlan()
	p.Host = "http://" + evil
	s := begin(p, 0, evil)
	s.users(3, 0)
	var b bytes.Buffer
	if err := SVG(&b, s.input()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<script") {
		t.Error("holds a script")
	}
	draw(t, s.input())
}

// The picture of the README is made by `loadgen report DIR -f svg`.
func TestThePictureOfTheReadmeIsDrawnAsPicturesAreNow(t *testing.T) {
	have, err := os.ReadFile("../../docs/lab.svg")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{svgStyle, `data-plot="requests per second"`, `data-plot="corrected latency"`, `data-plot="tasks"`, ">VALID: "} {
		if !strings.Contains(strings.ReplaceAll(string(have), "\r\n", "\n"), want) {
			t.Errorf("docs/lab.svg has no %.60q; loadgen lab -o demo and loadgen report demo -f svg > docs/lab.svg make it", want)
		}
	}
}

func TestAPictureOfWindowsThatBreakOffIsAnError(t *testing.T) {
	in := named(t, "seed").input()
	broken := errors.New("line 7")
	in.Windows = func(yield func(*result.Window, error) bool) { yield(nil, broken) }
	var b bytes.Buffer
	if err := SVG(&b, in); !errors.Is(err, broken) || b.Len() > 0 {
		t.Errorf("%d bytes, %v", b.Len(), err)
	}
}
