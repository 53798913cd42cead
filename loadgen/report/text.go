package report

import (
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"scalableappbackend/loadgen/result"
)

// labels is the width of the names that stand left of everything below the table.
const labels = 13

// Text writes the report for a terminal. Its first word is the verdict. No line is longer than the
// width asked for, but for paths and words that cannot be broken.
func Text(w io.Writer, r *result.Result, o Options) error {
	return writeText(w, Input{Result: r, Options: o})
}

func writeText(w io.Writer, in Input) error {
	p := newPage(in.Options)
	f := gather(in)
	f.story = tell(in, p.width)
	p.verdict(f)
	p.figures(f)
	p.errors(f)
	if f.story != nil {
		p.story(f.story)
	}
	p.thresholds(f)
	for _, it := range f.rest {
		p.item(it)
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

// page collects lines.
type page struct {
	width int
	paint painter
	b     strings.Builder
}

func newPage(o Options) *page {
	width := o.Width
	if width == 0 {
		width = DefaultWidth
	}
	return &page{width: min(max(width, MinWidth), maxWidth), paint: painter(o.Color)}
}

func (p *page) line(text string) { p.b.WriteString(strings.TrimRight(text, " ") + "\n") }

// hang writes text in lines that begin below each other, right of a prefix of the given width.
func (p *page) hang(prefix string, width int, text string) {
	for _, l := range wrap(text, p.width-width) {
		p.line(prefix + l)
		prefix = strings.Repeat(" ", width)
	}
}

// block writes text over the whole width in one colour.
func (p *page) block(paint func(string) string, text string) {
	for _, l := range wrap(text, p.width) {
		p.line(paint(l))
	}
}

func (p *page) verdict(f *facts) {
	word, indent := string(f.validity), len(f.validity)+3
	prefix := p.paint.verdict(f.validity, word) + "   "
	sum := p.paint.strong
	if f.failing {
		sum = p.paint.bad
	}
	if utf8.RuneCountInString(f.load+f.sum) <= p.width-indent-3 {
		p.line(prefix + f.load + "   " + sum(f.sum))
	} else {
		p.hang(prefix, indent, f.load)
		for _, l := range wrap(f.sum, p.width-indent) {
			p.line(strings.Repeat(" ", indent) + sum(l))
		}
	}
	for _, n := range f.notes {
		p.block(p.paint.strong, n)
	}
	for _, x := range f.reasons {
		text := x.text
		if x.level == result.Valid {
			text = "note: " + text
		}
		p.hang("  - ", 4, text)
	}
	p.line("")
}

func (p *page) figures(f *facts) {
	shown, more := f.top(maxEndpoints)
	rows := slices.Concat(shown, f.phases)
	if f.total != nil {
		rows = append(rows, *f.total)
	}
	t := newTable(p.paint, p.width, rows)
	if t.folded {
		shown, more = f.top(maxFolded)
	}
	if !f.claims {
		p.block(p.paint.strong, "What the generator saw. These numbers describe the generator, not the service.")
	}
	for _, l := range t.head("endpoint") {
		p.line(l)
	}
	p.rows(t, shown, more)
	if f.total != nil {
		p.rows(t, []row{*f.total}, "")
	}
	if len(f.phases) > 0 {
		p.line(p.paint.dim("phase"))
		p.rows(t, f.phases, f.morePhases)
	}
	p.block(p.paint.dim, f.corrected)
	if f.gap != "" {
		p.block(p.paint.strong, "The gap: "+f.gap)
	}
	p.line("")
}

func (p *page) rows(t *table, rows []row, more string) {
	for _, r := range rows {
		for _, l := range t.lines(r) {
			p.line(l)
		}
	}
	if more != "" {
		p.block(p.paint.dim, more)
	}
}

func (p *page) errors(f *facts) {
	count, when := 0, 0
	for _, e := range f.errors {
		count, when = max(count, len(e.count)), max(when, len(e.when))
	}
	label := "errors"
	for _, e := range f.errors {
		prefix := pad(label, labels, false) + p.paint.bad(pad(e.count, count, true)) + "  "
		p.hang(prefix+pad(e.when, when, false)+"  ", labels+count+when+4, e.message)
		label = ""
	}
	for _, text := range []string{f.moreErrors, f.failureTime} {
		if text != "" {
			p.hang(pad(label, labels, false), labels, text)
			label = ""
		}
	}
}

func (p *page) thresholds(f *facts) {
	if len(f.thresholds) == 0 && (f.story == nil || len(f.story.expectations) == 0) {
		p.hang(pad("thresholds", labels, false), labels, "none, so any numbers pass; e.g. --threshold 'p(99)<50ms'")
	}
	p.outcomes("thresholds", f.thresholds, math.MaxInt)
	if len(f.thresholds) > 0 && !f.claims {
		p.hang(strings.Repeat(" ", labels), labels, "They were judged on what the generator saw, and say nothing of the service.")
	}
}

// outcomes are thresholds or expectations, with what was seen of each: right of it where that takes at
// most so many lines, else behind it over the whole width.
func (p *page) outcomes(label string, rows []threshold, beside int) {
	longest := 0
	for _, t := range rows {
		longest = max(longest, min(utf8.RuneCountInString(t.expression), 32))
	}
	for _, t := range rows {
		word := p.paint.good("passed")
		if !t.passed {
			word = p.paint.bad("FAILED")
		}
		prefix := pad(label, labels, false) + word + "  "
		indent := labels + len("passed") + 2
		label = ""
		if len(wrap(t.seen, p.width-indent-longest-2)) > beside {
			p.hang(prefix, indent, t.expression+": "+t.seen)
			continue
		}
		if utf8.RuneCountInString(t.expression) > longest {
			// A long one has a line of its own, so that it does not push all others to the right.
			p.hang(prefix, indent, t.expression)
			p.hang(strings.Repeat(" ", indent), indent, t.seen)
			continue
		}
		p.hang(prefix+pad(t.expression, longest, false)+"  ", indent+longest+2, t.seen)
	}
}

func (p *page) item(it item) {
	prefix := pad(it.name, labels, false)
	for _, l := range it.lines {
		if it.whole {
			p.line(prefix + l)
		} else {
			p.hang(prefix, labels, l)
		}
		prefix = strings.Repeat(" ", labels)
	}
}
