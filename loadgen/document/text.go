package document

import (
	"io"
	"math"
	"slices"
	"strings"

	"scalableappbackend/internal/units"
)

// Layout says how text is laid out. The zero value is plain text of DefaultWidth columns.
type Layout struct {
	Width int  // columns; 0 is DefaultWidth, and what is out of range is the nearest of it
	Color bool // ANSI colours
	// Unbroken text has each sentence, fact and item on a line of its own, however long: for a log that takes lines for events. Tables and charts keep
	// to Width.
	Unbroken bool
}

// Widths of text.
const (
	DefaultWidth = 100
	MinWidth     = 40
	MaxWidth     = 160 // longer lines of text are hard to read, wherever they fit
)

const (
	labels = 13 // the width of the names that stand left
	aside  = 17 // that of what stands right of a chart, the blank before it included
)

// Text prints a document for a terminal.
func Text(w io.Writer, d *Document, o Layout) error {
	width := o.Width
	if width == 0 {
		width = DefaultWidth
	}
	p := &page{width: min(max(width, MinWidth), MaxWidth), unbroken: o.Unbroken, Painter: Painter(o.Color)}
	for i, b := range d.Blocks {
		if i > 0 && apart(d.Blocks[i-1], b) {
			p.gap()
		}
		p.block(b)
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

// apart says whether a blank line stands between two blocks. Named lines stand close, and so does what follows a title.
func apart(a, b Block) bool {
	if _, ok := a.(Section); ok {
		return false
	}
	return !isLines(a) || !isLines(b)
}

func isLines(b Block) bool {
	switch b := b.(type) {
	case Facts, List, Note:
		return true
	case Table:
		return b.Label != ""
	}
	return false
}

// page collects lines.
type page struct {
	Painter
	width    int
	unbroken bool
	b        strings.Builder
}

// wrap breaks a text into lines of a width.
func (p *page) wrap(text string, width int) []string {
	if p.unbroken {
		width = math.MaxInt
	}
	return units.Wrap(text, width)
}

func (p *page) line(text string) { p.b.WriteString(strings.TrimRight(text, " ") + "\n") }

// gap is a blank line, of which there are no two.
func (p *page) gap() {
	if s := p.b.String(); s != "" && !strings.HasSuffix(s, "\n\n") {
		p.b.WriteByte('\n')
	}
}

// leastRoom is how narrow text may stand beside a prefix; else it stands below it.
const leastRoom = 28

// hang writes text in lines that begin below each other, right of a prefix of the given width.
func (p *page) hang(prefix string, width int, text string) {
	if !p.unbroken && p.width-width < leastRoom && length(text) > p.width-width && strings.TrimSpace(prefix) != "" {
		p.line(prefix)
		prefix = "    "
	}
	if at := min(width, max(4, p.width-leastRoom)); at < width && strings.TrimSpace(prefix) == "" {
		width = at
		if prefix == "    " {
			width = 4
		}
		prefix = strings.Repeat(" ", width)
	}
	for _, l := range p.wrap(Clean(text), p.width-width) {
		p.line(prefix + l)
		prefix = strings.Repeat(" ", width)
	}
}

// paragraph writes text over the whole width in one tone.
func (p *page) paragraph(t Tone, text string) {
	for _, l := range p.wrap(Clean(text), p.width) {
		p.line(p.Paint(t, l))
	}
}

func (p *page) block(b Block) {
	switch b := b.(type) {
	case Verdict:
		p.verdict(&b)
	case Section:
		p.hang(label(b.Name), labels, b.Title)
	case Note:
		text := b.Text
		if b.Lead != "" {
			text = b.Lead + ": " + text
		}
		p.paragraph(b.Tone, text)
	case Facts:
		for _, f := range b {
			p.fact(f)
		}
	case List:
		p.list(&b)
	case Table:
		p.table(&b)
	case Chart:
		p.chart(&b)
	case Histogram:
		p.histogram(&b)
	}
}

func label(name string) string { return pad(Clean(name), labels, false) }

func (p *page) verdict(v *Verdict) {
	word := Clean(v.Word)
	indent := length(word) + 3
	p.hang(p.Paint(v.Tone, word)+"   ", indent, v.What)
	for _, l := range p.wrap(Clean(v.Sum), p.width-indent) {
		p.line(strings.Repeat(" ", indent) + p.Paint(v.SumTone, l))
	}
	for _, n := range v.Notes {
		p.paragraph(Strong, n)
	}
	for _, r := range v.Reasons {
		p.hang("  - ", 4, r)
	}
}

func (p *page) fact(f Fact) {
	prefix := label(f.Name)
	for _, l := range f.Lines {
		if f.Verbatim {
			p.line(prefix + Clean(l))
		} else {
			p.hang(prefix, labels, l)
		}
		prefix = strings.Repeat(" ", labels)
	}
}

func (p *page) list(l *List) {
	if len(l.Items) == 0 {
		if l.None != "" {
			p.fact(Fact{Name: l.Name, Lines: []string{l.None}})
		}
		return
	}
	lead := 0 // the width of leads that stand in a column
	for _, it := range l.Items {
		if !it.IsCode {
			lead = max(lead, length(Clean(it.Lead)))
		}
	}
	name, causes := l.Name, l.causes()
	for i, it := range l.Items {
		prefix, indent, text := label(name), labels, it.Text
		name = ""
		if it.Mark != NoMark {
			prefix += p.Paint(it.Mark.tone(), it.Mark.String()) + "  "
			indent += length(it.Mark.String()) + 2
		}
		switch {
		case it.IsCode:
			text = it.Lead + ": " + text
		case lead > 0:
			prefix += pad(Clean(it.Lead), lead, false) + "  "
			indent += lead + 2
		}
		p.hang(prefix, indent, text+causes[i])
	}
}

func (p *page) chart(ch *Chart) {
	if ch.Length <= 0 {
		return
	}
	side := aside
	if p.width < 64 { // too narrow for numbers beside it
		side = 1
	}
	for _, r := range ch.draw(max(p.width-labels-side, 8)) {
		text := Clip(Clean(r.name), labels-1)
		line := pad(text, labels, false) + p.Paint(r.tone, strings.TrimRight(r.cells, " "))
		if note := clipEnd(Clean(r.aside), side-1); note != "" && side > 1 {
			line += strings.Repeat(" ", length(r.cells)-length(strings.TrimRight(r.cells, " "))) + " " + note
		}
		p.line(line)
	}
	p.paragraph(Dim, ch.Legend)
}

// lines of a histogram without colours: the bound, the count, and a bar in proportion to it.
func (h *Histogram) lines(width int) []string {
	bound, count := 0, 0
	var most int64
	for _, b := range h.Bins {
		bound, count, most = max(bound, length(b.UpTo)), max(count, length(b.Text)), max(most, b.Count)
	}
	room := min(width-bound-count-6, 60)
	lines := make([]string, len(h.Bins))
	for i, b := range h.Bins {
		bar := 0
		if most > 0 && room > 0 {
			bar = int(float64(b.Count) / float64(most) * float64(room))
			if b.Count > 0 {
				bar = max(bar, 1)
			}
		}
		lines[i] = strings.TrimRight("  "+pad(b.UpTo, bound, true)+"  "+pad(b.Text, count, true)+"  "+strings.Repeat("■", bar), " ")
	}
	return lines
}

func (p *page) histogram(h *Histogram) {
	if len(h.Bins) == 0 {
		return
	}
	p.paragraph(Dim, h.Name)
	for _, l := range h.lines(p.width) {
		at := slices.Index([]rune(l), '■')
		if at < 0 {
			p.line(l)
			continue
		}
		r := []rune(l)
		p.line(string(r[:at]) + p.Paint(Good, string(r[at:])))
	}
}
