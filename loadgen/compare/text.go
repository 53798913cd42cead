package compare

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math"
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
		data, err := c.junit()
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

// chart draws the intervals of the gated ratios on one axis: ● is the estimate, ─ the interval, ┊ nothing changed.
func (c *Comparison) chart() string {
	const half = 24
	reach := 2 * c.MinEffect
	var cells []*Cell
	for i := range c.Cells {
		x := &c.Cells[i]
		if !x.Gated || x.Unit == "ratio" || !x.Low.Known() || math.IsInf(float64(x.Low), 0) || math.IsInf(float64(x.High), 0) {
			continue
		}
		cells = append(cells, x)
		reach = max(reach, math.Abs(float64(x.Low)), math.Abs(float64(x.High)))
	}
	if len(cells) == 0 {
		return ""
	}
	at := func(v float64) int { return min(max(half+int(math.Round(v/reach*half)), 0), 2*half) }
	label := 0
	for _, x := range cells {
		label = max(label, utf8.RuneCountInString(x.name()))
	}
	var b strings.Builder
	left, right := signed(-reach, 0, "%"), signed(reach, 0, "%")
	b.WriteString(pad("", label+2, false) + pad(left, half, false) + "0" + pad(right, half, true) + "\n")
	for _, x := range cells {
		line := []rune(strings.Repeat(" ", 2*half+1))
		line[at(-c.MinEffect)], line[at(c.MinEffect)], line[half] = '·', '·', '┊'
		for i := at(float64(x.Low)); i <= at(float64(x.High)); i++ {
			line[i] = '─'
		}
		line[at(float64(x.Low))], line[at(float64(x.High))], line[at(float64(x.Change))] = '├', '┤', '●'
		b.WriteString(pad(x.name(), label, false) + "  " + strings.TrimRight(string(line), " ") + "\n")
	}
	return b.String()
}

func (x *Cell) name() string {
	if x.Endpoint+x.Phase == "" {
		return x.Metric
	}
	return x.where() + " " + x.Metric
}

func escape(s string) string {
	return strings.NewReplacer("|", "\\|", "<", "&lt;", "\n", " ", "`", "'").Replace(s)
}

func (c *Comparison) markdown() string {
	var b strings.Builder
	sign := map[Verdict]string{Worse: "❌", Better: "✅", NoMatter: "✅", CannotTell: "❔"}[c.Verdict]
	fmt.Fprintf(&b, "### %s Performance: %s\n\n", sign, c.Verdict)
	b.WriteString("| | base | new | change | verdict |\n|---|---:|---:|---:|---|\n")
	for i := range c.Cells {
		if x := &c.Cells[i]; x.Gated {
			fmt.Fprintf(&b, "| **%s** | %s | %s | %s %s | %s |\n", escape(x.name()), x.figure(x.Base), x.figure(x.New), x.change(x.Change), x.interval(), x.Verdict)
		}
	}
	if chart := c.chart(); chart != "" {
		b.WriteString("\n```text\n" + chart + "```\n\n● is the estimated change, ├─┤ where the truth lies with 95 % confidence, · the least change that matters. Latency to the right is slower; rps to the left is less.\n")
	}
	for _, g := range c.Gates {
		if g.Outcome != Passed {
			fmt.Fprintf(&b, "\n- **%s** `%s`: %s", gateWord(g.Outcome), strings.ReplaceAll(g.Expression, "`", "'"), escape(g.Seen))
		}
	}
	b.WriteString("\n\n<details><summary>All figures, and how they were compared</summary>\n\n| endpoint | figure | base | new | change | 95 % interval | verdict |\n|---|---|---:|---:|---:|---:|---|\n")
	for i := range c.Cells {
		if x := &c.Cells[i]; x.isShown() {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", escape(x.where()), x.Metric, x.figure(x.Base), x.figure(x.New), x.change(x.Change), x.interval(), x.word())
		}
	}
	fmt.Fprintf(&b, "\n%s.\n", c.Method)
	for _, w := range c.Warnings {
		fmt.Fprintf(&b, "\n- %s", escape(w))
	}
	b.WriteString("\n</details>\n")
	return b.String()
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

func (c *Comparison) junit() ([]byte, error) {
	suite := struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}{Name: "loadgen compare", Tests: len(c.Gates)}
	for _, g := range c.Gates {
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
