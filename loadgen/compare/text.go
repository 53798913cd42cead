package compare

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
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
		data, err := junit("loadgen compare", c.Gates)
		if err != nil {
			return err
		}
		text = xml.Header + string(data) + "\n"
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
	b.WriteString("\n* gated, and corrected together for chance (Holm); the rest is shown and decides nothing.\n\n")
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

type junitCase struct {
	Name    string    `xml:"name,attr"`
	Class   string    `xml:"classname,attr"`
	Failure *junitSay `xml:"failure,omitempty"`
	Skipped *junitSay `xml:"skipped,omitempty"`
	Out     string    `xml:"system-out,omitempty"`
}

type junitSay struct {
	Message string `xml:"message,attr"`
}

func junit(name string, gates []Gate) ([]byte, error) {
	suite := struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}{Name: name, Tests: len(gates)}
	for _, g := range gates {
		k := junitCase{Name: g.Expression, Class: "loadgen.compare"}
		switch g.Outcome {
		case Failed:
			suite.Failures++
			k.Failure = &junitSay{g.Seen}
		case Unknown:
			suite.Skipped++
			k.Skipped = &junitSay{"cannot tell: " + g.Seen}
		default:
			k.Out = g.Seen
		}
		suite.Cases = append(suite.Cases, k)
	}
	return xml.MarshalIndent(suite, "", "  ")
}
