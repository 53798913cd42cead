package gate

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Each row of a table of the page begins with an expression that is one.
func TestTheExamplesOfThePageOfThresholdsAreWhatItsHeadingsSay(t *testing.T) {
	text, err := os.ReadFile("../../docs/thresholds.md")
	if err != nil {
		t.Fatal(err)
	}
	thresholds, expectations, ok := strings.Cut(string(text), "\n## Expectations\n")
	if !ok {
		t.Fatal("docs/thresholds.md has no section Expectations")
	}
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")
	named := map[string]bool{}
	word := regexp.MustCompile(`[a-z_]+`)
	for section, parse := range map[string]func(string) error{
		thresholds:   func(e string) error { _, err := Parse(e); return err },
		expectations: func(e string) error { _, err := ParseExpectation(e); return err },
	} {
		rows := row.FindAllStringSubmatch(section, -1)
		if len(rows) < 10 {
			t.Errorf("%d examples", len(rows))
		}
		for _, m := range rows {
			if err := parse(m[1]); err != nil {
				t.Errorf("docs/thresholds.md has the example %s: %v", m[1], err)
			}
		}
		for _, w := range word.FindAllString(section, -1) {
			named[w] = true
		}
	}
	names := append(namesOf(ofRequests|ofCapacity), "avg", "med")
	for _, l := range latencies() {
		names = append(names, string(l))
	}
	for _, name := range names {
		// The page names the counts of tasks once, and the ends of their names.
		which := strings.TrimSuffix(strings.TrimSuffix(name, "_healthy"), "_desired")
		if !named[name] && !named[which+"_tasks"] {
			t.Errorf("docs/thresholds.md does not name %s", name)
		}
	}
}
