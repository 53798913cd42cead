//go:build e2e

package infra

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tables are README.md's variables and outputs, as OpenTofu reads them from the code.
func tables(t *testing.T) string {
	t.Helper()
	var module struct {
		RootModule struct {
			Variables map[string]struct {
				Type        any
				Default     any
				Description string
			}
			Outputs map[string]struct{ Description string }
		} `json:"root_module"`
	}
	out := must(t, ".", "show", "-module=.", "-json")
	if err := json.Unmarshal([]byte(out), &module); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cell := func(s string) string {
		return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
	}
	var b strings.Builder
	b.WriteString("| variable | default | what |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(module.RootModule.Variables)) {
		v := module.RootModule.Variables[name]
		value, err := json.Marshal(v.Default)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", name, cell(string(value)), cell(v.Description))
	}
	b.WriteString("\n| output | what |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(module.RootModule.Outputs)) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, cell(module.RootModule.Outputs[name].Description))
	}
	return b.String()
}

// UPDATE_GOLDEN=1 writes them.
func TestTheTablesOfTheReadmeAreThoseOfTheCode(t *testing.T) {
	tofu(t)
	readme := text(t, "README.md")
	part := regexp.MustCompile(`(?s)(<!-- variables and outputs, generated -->\n).*(<!-- end -->)`)
	want := part.ReplaceAllString(readme, "${1}\n"+strings.ReplaceAll(tables(t), "$", "$$")+"\n${2}")
	if !part.MatchString(readme) {
		t.Fatal("README.md has no place for the tables")
	}
	if want == readme {
		return
	}
	if os.Getenv("UPDATE_GOLDEN") == "" {
		t.Fatal("README.md's tables differ from the code: UPDATE_GOLDEN=1 go test -tags e2e -run Tables ./infra")
	}
	if err := os.WriteFile("README.md", []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}
