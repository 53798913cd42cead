package report

import (
	"bufio"
	"bytes"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/result"
)

func distributionOf(h *result.Histogram) string {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	distribution(w, "", h)
	w.Flush()
	return b.String()
}

// The files were written by Java's HdrHistogram 2.2.2, Histogram(1, 3600000000, 3), with
// outputPercentileDistribution(out, 5, 1000.0).
func TestDistributionIsThatOfJavasHdrHistogram(t *testing.T) {
	var many, one, none result.Histogram
	for i := range 20_000 {
		v := i*i%7919*13 + 100
		if i%500 == 499 {
			v *= 100
		}
		many.Record(time.Duration(v) * us)
	}
	one.Record(1_234_567 * us)
	for file, h := range map[string]*result.Histogram{"java-2.2.2.hgrm": &many, "java-2.2.2-one.hgrm": &one, "java-2.2.2-none.hgrm": &none} {
		want, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Split(distributionOf(h), "\n")
		for i, line := range strings.Split(string(want), "\n") {
			if i >= len(got) || !sameButForTies(got[i], line) {
				t.Fatalf("%s line %d: got\n%s\nwant\n%s", file, i+1, strings.Join(got, "\n"), want)
			}
		}
	}
}

// A histogram from a file may hold counts that no run makes.
func TestDistributionOfAnAbsurdCountEnds(t *testing.T) {
	var h result.Histogram
	h.RecordN(1*ms, 1<<60)
	h.RecordN(2*ms, 1)
	if got := distributionOf(&h); strings.Count(got, "\n") > 400 || !strings.Contains(got, "Total count    = 1152921504606846977") {
		t.Errorf("got %d lines\n%.500s", strings.Count(got, "\n"), got)
	}
}

// sameButForTies allows for the twelfth digit of a percentile: of two that are equally near, Java
// prints the higher and Go the even one.
func sameButForTies(got, want string) bool {
	g, w := strings.Fields(got), strings.Fields(want)
	if len(g) >= 3 && len(g) == len(w) && len(g[1]) == len(w[1]) {
		a, errA := strconv.ParseFloat(g[1], 64)
		b, errB := strconv.ParseFloat(w[1], 64)
		if errA == nil && errB == nil && math.Abs(a-b) < 1.5e-12 {
			got = strings.Replace(got, g[1], w[1], 1)
		}
	}
	return got == want
}

// plotted are the lines that plotters take for points: hdr-plot those that match this expression
// from their beginning, HdrHistogram's plotFiles.html those of four words that begin with no #.
var plotted = regexp.MustCompile(`(?m)^\s+([0-9.]+)\s+([0-9.]+)\s+([0-9.]+)\s+([0-9.]+)`)

func points(text string) (hdrPlot, plotFiles []string) {
	for line := range strings.Lines(text) {
		if plotted.MatchString(line) {
			hdrPlot = append(hdrPlot, line)
		}
		if words := strings.Fields(line); len(words) == 4 && line[0] != '#' && words[0] != "Value" {
			plotFiles = append(plotFiles, line)
		}
	}
	return hdrPlot, plotFiles
}

func TestPlottersSeeOneCurveAndEachEndpointsCanBeTakenOut(t *testing.T) {
	s := named(t, "interrupted")
	var total, health result.Histogram
	for _, w := range s.windows {
		total.Merge(w.Endpoints[0].Corrected)
		total.Merge(w.Endpoints[1].Corrected)
		health.Merge(w.Endpoints[1].Corrected)
	}
	var b bytes.Buffer
	if err := Write(&b, "hdr", s.input()); err != nil {
		t.Fatal(err)
	}
	want, _ := points(distributionOf(&total))
	for _, got := range [][]string{first(points(b.String())), second(points(b.String()))} {
		if strings.Join(got, "") != strings.Join(want, "") || len(got) < 20 {
			t.Errorf("a plotter sees\n%s\nwant\n%s", strings.Join(got, ""), strings.Join(want, ""))
		}
	}
	// sed -n 's/^#GET%20%2Fhealth|//p'
	var alone strings.Builder
	for line := range strings.Lines(b.String()) {
		if rest, found := strings.CutPrefix(line, "#GET%20%2Fhealth|"); found {
			alone.WriteString(rest)
		}
	}
	if alone.String() != distributionOf(&health) {
		t.Errorf("the endpoint's own is\n%s\nwant\n%s", alone.String(), distributionOf(&health))
	}
	if head, _, _ := strings.Cut(b.String(), "\n"); head != "#[loadgen: VALID, 26425 requests, 101 errors; corrected latency of successes in ms]" {
		t.Errorf("begins with %q", head)
	}
}

func first[A, B any](a A, _ B) A  { return a }
func second[A, B any](_ A, b B) B { return b }
