package compare

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"scalableappbackend/internal/junit"
)

// Formats are the names of the formats that Write takes, the default first.
func Formats() []string { return []string{"text", "markdown", "json", "junit"} }

// Write writes a comparison in a format.
func Write(w io.Writer, format string, c *Comparison) error {
	var text string
	switch format {
	case "text":
		text = c.text()
	case "markdown":
		text = c.markdown()
	case "json":
		data, err := json.MarshalIndent(c, "", "  ")
		if err != nil {
			return err
		}
		text = string(data) + "\n"
	case "junit":
		return writeJUnit(w, "loadgen compare", c.Gates)
	default:
		return fmt.Errorf("format %q: want one of %s", format, strings.Join(Formats(), ", "))
	}
	_, err := io.WriteString(w, text)
	return err
}

// Decode reads what Write wrote as json.
func Decode(r io.Reader) (*Comparison, error) {
	data, err := io.ReadAll(io.LimitReader(r, 64<<20))
	if err != nil {
		return nil, err
	}
	var c Comparison
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("not JSON of a comparison: %w", err)
	}
	if c.Schema != Schema {
		return nil, fmt.Errorf("schema %.60q, want %s", c.Schema, Schema)
	}
	for i := range c.Cells {
		if f, err := ParseFigure(c.Cells[i].Metric); err == nil {
			c.Cells[i].metric = Metric{f.Metric, f.Percentile}
		}
	}
	return &c, nil
}

func pad(s string, width int, right bool) string {
	blank := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
	if right {
		return blank + s
	}
	return s + blank
}

func (x *Cell) word() string {
	switch {
	case x.Metric == "generator_cpu":
		return "control"
	case x.Verdict == Worse && x.Gated:
		return "WORSE"
	}
	return string(x.Verdict)
}

func (c *Comparison) text() string {
	var b strings.Builder
	b.WriteString(c.Headline() + "\n" + c.Method + "\n")
	rows := [][6]string{}
	where := "\x00"
	for i := range c.Cells {
		x := &c.Cells[i]
		if !x.isShown() {
			continue
		}
		if x.where() != where {
			where = x.where()
			rows = append(rows, [6]string{where, "base", "new", "change", "95 % interval", "verdict"})
		}
		mark := ""
		if x.Gated {
			mark = " *"
		}
		rows = append(rows, [6]string{"  " + x.Metric + mark, x.figure(x.Base), x.figure(x.New), x.change(x.Change), x.interval(), x.word()})
	}
	var width [6]int
	for _, r := range rows {
		for i, t := range r {
			width[i] = max(width[i], utf8.RuneCountInString(t))
		}
	}
	for _, r := range rows {
		var line strings.Builder
		line.WriteString(pad(r[0], width[0], false))
		for i := 1; i < 5; i++ {
			line.WriteString("  " + pad(r[i], width[i], true))
		}
		if !strings.HasPrefix(r[0], " ") {
			b.WriteString("\n")
		}
		b.WriteString(strings.TrimRight(line.String()+"  "+r[5], " ") + "\n")
	}
	b.WriteString("\n* gated, and corrected together for chance (Holm); the rest decides nothing: of 20 such figures chance\n  alone makes one differ.\n\n")
	for _, g := range c.Gates {
		b.WriteString(pad(gateWord(g.Outcome), 12, false) + g.Expression + "   " + g.Seen + "\n")
	}
	for _, w := range c.Warnings {
		b.WriteString("note: " + w + "\n")
	}
	return b.String()
}

func gateWord(outcome string) string {
	if outcome == Failed {
		return "FAILED"
	}
	return outcome
}

// writeJUnit writes gates as test cases; one of which nobody can tell is skipped.
func writeJUnit(w io.Writer, name string, gates []Gate) error {
	suite := junit.Suite{Name: name}
	for _, g := range gates {
		c := junit.Case{Class: "loadgen.compare", Name: g.Expression}
		switch g.Outcome {
		case Failed:
			c.Outcome, c.Type, c.Text = junit.Failed, "regression", g.Seen
		case Unknown:
			c.Outcome, c.Text = junit.Skipped, "cannot tell: "+g.Seen
		}
		suite.Cases = append(suite.Cases, c)
		suite.Out = append(suite.Out, g.Expression+": "+g.Seen)
	}
	return junit.Write(w, suite)
}
