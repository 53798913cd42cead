package infra

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func sources(t *testing.T, pattern string) string {
	t.Helper()
	paths, _ := filepath.Glob(pattern) // patterns are well formed
	if len(paths) == 0 {
		t.Fatalf("nothing matches %s", pattern)
	}
	var b strings.Builder
	for _, path := range paths {
		b.WriteString(text(t, path) + "\n")
	}
	return b.String()
}

// The table that leads from the drawing to the code: each address is a resource, each test exists.
func TestTheReadmesTableNamesWhatExists(t *testing.T) {
	_, table, _ := strings.Cut(text(t, "README.md"), "| box or arrow |")
	table, _, _ = strings.Cut(table, "\n\n")
	terraform, runs, tests := sources(t, "*.tf"), sources(t, "tests/*.tftest.hcl"), sources(t, "*_test.go")
	rows := strings.Split(table, "\n")[2:]
	if len(rows) < 25 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		cells := strings.Split(row, "|")
		for _, m := range regexp.MustCompile("`(aws_\\w+)\\.(\\w+)").FindAllStringSubmatch(cells[2], -1) {
			if !strings.Contains(terraform, `resource "`+m[1]+`" "`+m[2]+`"`) {
				t.Errorf("%s: no resource %s.%s", cells[1], m[1], m[2])
			}
		}
		test := strings.TrimSpace(cells[3])
		if m := regexp.MustCompile("^`(\\w+)`$").FindStringSubmatch(test); m != nil {
			if !strings.Contains(runs, `run "`+m[1]+`"`) {
				t.Errorf("%s: no run %s", cells[1], m[1])
			}
			continue
		}
		for arrow := range strings.SplitSeq(test, ", ") {
			for name := range strings.SplitSeq(strings.TrimPrefix(arrow, "… "), " … ") {
				if !strings.Contains(tests, `{"`+name+`"`) {
					t.Errorf("%s: no arrow %s", cells[1], name)
				}
			}
		}
	}
}

// Both documents name tests, variables and files that are there.
func TestDocumentsOfInfraNameWhatExists(t *testing.T) {
	all := variables(t)
	outputs := text(t, "outputs.tf")
	tests := sources(t, "*_test.go")
	for _, path := range []string{"README.md", "FIRST-APPLY.md"} {
		document := text(t, path)
		for _, m := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(document, -1) {
			if !strings.Contains(tests, "func "+m[1]+"(") {
				t.Errorf("%s names %s", path, m[1])
			}
		}
		for _, m := range regexp.MustCompile("`((?:examples|tests|policies)/[\\w./-]+|[\\w-]+\\.(?:tf|yaml|go))`").FindAllStringSubmatch(document, -1) {
			if found, _ := filepath.Glob(m[1]); len(found) == 0 {
				t.Errorf("%s names %s", path, m[1])
			}
		}
		for _, m := range regexp.MustCompile("`([a-z]+_[a-z_]+)`").FindAllStringSubmatch(document, -1) {
			name := m[1]
			if all[name] == "" && !strings.Contains(outputs, `output "`+name+`"`) && !strings.Contains(sources(t, "tests/*"), name) && !strings.Contains(sources(t, "*.tf"), name) {
				t.Errorf("%s names %s, which is no variable and no output", path, name)
			}
		}
	}
}

// Every switch says what it costs.
func TestEverySwitchSaysWhatItCosts(t *testing.T) {
	free := map[string]string{
		"existing_vpc": "takes away", "existing_cluster": "takes away", "domain_name": "belongs to the certificate", "hosted_zone_id": "a zone of the user's",
		"results_days": "how long, not whether", "spot_percent": "takes away, and says so",
	}
	for name, block := range variables(t) {
		if !strings.Contains(text(t, "variables_switches.tf"), `variable "`+name+`"`) || free[name] != "" {
			continue
		}
		if !regexp.MustCompile(`\$\d|[Ff]ree|Storage only|for nothing|twice the tasks`).MatchString(block) {
			t.Errorf("the switch %s does not say what it costs", name)
		}
	}
}

func TestTerraformFilesStayShort(t *testing.T) {
	paths, _ := filepath.Glob("*.tf")
	for _, path := range paths {
		if n := strings.Count(text(t, path), "\n"); n > 600 {
			t.Errorf("%s has %d lines", path, n)
		}
	}
}
