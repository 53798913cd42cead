package report

import (
	"fmt"
	"io"
	"strings"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/result"
)

// Markdown writes the report as a comment on a pull request: GitHub's dialect, with tables.
func Markdown(w io.Writer, r *result.Result, o Options) error {
	return writeMarkdown(w, Input{Result: r, Options: o})
}

func writeMarkdown(w io.Writer, in Input) error {
	f := gather(in)
	f.story = tell(in, DefaultWidth)
	d := &document{}
	d.verdict(f)
	d.figures(f)
	d.errors(f)
	if f.story != nil {
		d.story(f.story)
	}
	d.outcomes("threshold", f.thresholds)
	d.items(f)
	_, err := io.WriteString(w, d.b.String())
	return err
}

type document struct{ b strings.Builder }

func (d *document) line(format string, args ...any) {
	fmt.Fprintf(&d.b, format+"\n", args...)
}

func (d *document) verdict(f *facts) {
	d.line("### %s: %s\n", f.validity, escaped(f.load))
	d.line("**%s**\n", escaped(f.sum))
	if len(f.notes)+len(f.reasons) == 0 {
		return
	}
	kind := "NOTE"
	switch f.validity {
	case result.Suspect:
		kind = "WARNING"
	case result.Invalid:
		kind = "CAUTION"
	}
	d.line("> [!%s]", kind)
	for i, n := range f.notes {
		if i > 0 {
			d.line(">")
		}
		d.line("> %s", escaped(n))
	}
	if len(f.notes) > 0 && len(f.reasons) > 0 {
		d.line(">")
	}
	for _, x := range f.reasons {
		note := ""
		if x.level == result.Valid {
			note = "note: "
		}
		d.line("> - %s%s", note, escaped(x.text))
	}
	d.line("")
}

func (d *document) figures(f *facts) {
	if !f.claims {
		d.line("**What the generator saw. These numbers describe the generator, not the service.**\n")
	}
	d.head("endpoint")
	shown, more := f.top(maxEndpoints)
	for _, r := range shown {
		d.row(inCell(code(r.name)), r.stats)
	}
	if f.total != nil {
		d.row("**"+f.total.name+"**", f.total.stats)
	}
	d.line("")
	d.paragraph(more)
	if len(f.phases) > 0 {
		d.head("phase")
		for _, r := range f.phases {
			d.row(escaped(r.name), r.stats)
		}
		d.line("")
		d.paragraph(f.morePhases)
	}
	d.paragraph(f.corrected)
	if f.gap != "" {
		d.line("**The gap**: %s\n", escaped(f.gap))
	}
}

func (d *document) paragraph(text string) {
	if text != "" {
		d.line("%s\n", escaped(text))
	}
}

func (d *document) head(of string) {
	cells := []string{of, "requests", "errors", "rate"}
	for _, which := range [2]string{"raw", "corrected"} {
		for _, h := range timeHeads {
			cells = append(cells, which+" "+h)
		}
	}
	d.cells(cells...)
	d.line("|---|%s", strings.Repeat("---:|", len(cells)-1))
}

func (d *document) row(name string, s *result.Stats) {
	cells := []string{name}
	for _, c := range counts(s) {
		cells = append(cells, c)
	}
	for _, l := range [2]*result.Latency{&s.Latency.Raw, &s.Latency.Corrected} {
		for _, v := range [4]float64{l.P50, l.P95, l.P99, l.Max} {
			if l.Count == 0 {
				cells = append(cells, units.None)
			} else {
				cells = append(cells, units.Milliseconds(v))
			}
		}
	}
	d.cells(cells...)
}

func (d *document) cells(cells ...string) { d.line("| %s |", strings.Join(cells, " | ")) }

func (d *document) errors(f *facts) {
	if len(f.errors) > 0 {
		d.cells("errors", "when", "message")
		d.line("|---:|---|---|")
		for _, e := range f.errors {
			d.cells(e.count, e.when, escaped(e.message))
		}
		d.line("")
	}
	d.paragraph(f.moreErrors)
	d.paragraph(f.failureTime)
}

// outcomes is a table of thresholds or expectations.
func (d *document) outcomes(of string, rows []threshold) {
	if len(rows) == 0 {
		return
	}
	d.cells(of, "outcome", "seen")
	d.line("|---|---|---|")
	for _, t := range rows {
		word := "passed"
		if !t.passed {
			word = "**FAILED**"
		}
		d.cells(inCell(code(t.expression)), word, escaped(t.seen))
	}
	d.line("")
}

func (d *document) items(f *facts) {
	for _, it := range f.rest {
		texts := make([]string, len(it.lines))
		for i, l := range it.lines {
			texts[i] = escaped(l)
			if it.whole {
				texts[i] = code(l)
			}
		}
		d.line("- **%s**: %s", it.name, strings.Join(texts, "; "))
	}
}

// code is a span in which nothing means anything.
func code(text string) string {
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return fence + text + fence
}

// inCell is code in a table, whose cells are told apart before code is: a bar ends even that.
func inCell(code string) string { return strings.ReplaceAll(code, "|", `\|`) }

// escaped takes the meaning from text: no markup, no HTML, no table, and nobody is called by @name.
func escaped(text string) string { return escapes.Replace(text) }

var escapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`,
	"<", `\<`, ">", `\>`, "|", `\|`, "~", `\~`, "#", `\#`, "&", `\&`, "@", "@<!-- -->",
)
