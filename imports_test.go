// Package scalableappbackend has no code of its own: its tests hold the repository to what it says about itself.
package scalableappbackend

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"scalableappbackend/internal/golden"
)

const module = "scalableappbackend"

// arrows is the architecture: which of our packages the production files of a package may import.
// docs/architecture.md quotes it. A package without a row, an arrow without an entry and an entry
// without an arrow are all failures, so the table says what is there and no more.
const arrows = `
internal/exit       →
internal/input      →
internal/mounts     →
internal/near       →
internal/terraform  → internal/input
internal/units      →
internal/junit      →
internal/otlphttp   → internal/input
server              →
server/tracing      → internal/otlphttp
loadgen/http1       →
loadgen/trace       →
loadgen/wire        → loadgen/http1
loadgen/timeline    → internal/input loadgen/plan
loadgen/plan        → internal/input internal/near
loadgen/result      → loadgen/plan loadgen/timeline
loadgen/measure     → loadgen/plan loadgen/result loadgen/trace
loadgen/attack      → loadgen/measure loadgen/plan loadgen/trace loadgen/wire
loadgen/bench       → loadgen/attack loadgen/http1 loadgen/measure loadgen/plan loadgen/trace loadgen/wire
loadgen/validity    → internal/mounts loadgen/result
loadgen/gate        → internal/input internal/near internal/units loadgen/plan loadgen/result loadgen/timeline
loadgen/autoscaling → internal/input internal/near loadgen/timeline
loadgen/simulate    → internal/input internal/near loadgen/autoscaling loadgen/plan loadgen/result loadgen/timeline
loadgen/lab         → internal/input internal/near internal/units loadgen/autoscaling loadgen/plan loadgen/result loadgen/timeline server
loadgen/document    → internal/units loadgen/result
loadgen/report      → internal/exit internal/junit internal/units loadgen/document loadgen/plan loadgen/result loadgen/timeline
loadgen/stats       →
loadgen/compare     → internal/input internal/junit internal/units loadgen/gate loadgen/plan loadgen/result loadgen/stats
loadgen/baseline    → loadgen/compare loadgen/result
loadgen/progress    → internal/units loadgen/plan loadgen/result loadgen/timeline
loadgen/tui         → internal/units loadgen/document loadgen/plan loadgen/result loadgen/timeline loadgen/validity
loadgen             → internal/exit internal/input internal/units loadgen/attack loadgen/bench loadgen/gate loadgen/measure loadgen/plan loadgen/result loadgen/timeline loadgen/validity server
loadgen/aws/session →
loadgen/aws/store   → internal/input loadgen/aws/session loadgen/result
loadgen/otlp        → internal/otlphttp loadgen/plan loadgen/result loadgen/trace
loadgen/aws/publish → internal/input internal/units loadgen/aws/session loadgen/plan loadgen/result
loadgen/pair        → internal/input internal/units loadgen loadgen/compare loadgen/gate loadgen/lab loadgen/plan loadgen/result loadgen/validity
loadgen/aws/tasks   → internal/input internal/terraform internal/units loadgen loadgen/aws/session loadgen/aws/store loadgen/plan loadgen/result
loadgen/aws/awstest →
loadgen/aws/scaling → internal/input loadgen/autoscaling loadgen/aws/session loadgen/result loadgen/timeline
bench               →
dashboards          → internal/input internal/near
cmd/server          → internal/input internal/otlphttp server server/tracing
cmd/loadgen         → dashboards internal/exit internal/input internal/mounts internal/near internal/otlphttp internal/terraform internal/units loadgen loadgen/autoscaling loadgen/aws/publish loadgen/aws/scaling loadgen/aws/session loadgen/aws/store loadgen/aws/tasks loadgen/baseline loadgen/compare loadgen/gate loadgen/lab loadgen/otlp loadgen/pair loadgen/plan loadgen/progress loadgen/report loadgen/result loadgen/simulate loadgen/timeline loadgen/tui loadgen/validity
`

// modules is who may import what others wrote; "tests" are the test files of any package.
// Each module is wrapped where it stands here, so that replacing it touches one package.
const modules = `
charm.land/bubbletea/v2                  ← loadgen/tui
github.com/HdrHistogram/hdrhistogram-go  ← loadgen/result
github.com/aws/aws-sdk-go-v2             ← loadgen/aws/awstest loadgen/aws/publish loadgen/aws/scaling loadgen/aws/session loadgen/aws/store loadgen/aws/tasks
github.com/aws/smithy-go                 ← loadgen/aws/awstest loadgen/aws/scaling loadgen/aws/session
github.com/charmbracelet/x/ansi          ← loadgen/tui
github.com/rogpeppe/go-internal          ← tests
github.com/santhosh-tekuri/jsonschema/v6 ← tests
github.com/spf13/cobra                   ← cmd/loadgen
github.com/spf13/pflag                   ← cmd/loadgen
github.com/tsenart/vegeta/v12            ← loadgen/attack
go.opentelemetry.io/proto/otlp           ← tests
go.opentelemetry.io/proto/slim/otlp      ← loadgen/otlp server/tracing
golang.org/x/net                         ← cmd/loadgen internal/otlphttp loadgen/plan loadgen/wire
golang.org/x/sys                         ← bench loadgen/attack loadgen/bench loadgen/wire
golang.org/x/term                        ← cmd/loadgen
google.golang.org/protobuf               ← internal/otlphttp loadgen/otlp
pgregory.net/rapid                       ← tests
`

func TestPackagesImportWhatTheTableSaysAndNothingElse(t *testing.T) {
	allowed := table(t, arrows, "→")
	used := map[string]map[string]bool{}
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		if slices.Contains(f.imports(), "testing") {
			t.Errorf("%s imports testing: helpers of tests go below internal/", f.path)
		}
		if used[f.pkg] == nil {
			used[f.pkg] = map[string]bool{}
		}
		for _, to := range f.ours() {
			used[f.pkg][to] = true
			if !slices.Contains(allowed[f.pkg], to) {
				t.Errorf("%s: a new arrow %s → %s: the table in imports_test.go does not have it", f.path, f.pkg, to)
			}
		}
	}
	for pkg := range used {
		if _, ok := allowed[pkg]; !ok {
			t.Errorf("%s: a package without a row in the table", pkg)
		}
	}
	for pkg, row := range allowed {
		if used[pkg] == nil {
			t.Errorf("the table has a row for %s, which has no production file", pkg)
			continue
		}
		for _, to := range row {
			if !used[pkg][to] {
				t.Errorf("the table has an arrow %s → %s that no file needs", pkg, to)
			}
		}
	}
}

// A test may use whatever does not itself stand on its package: what looks at a package from above is a test of the
// package above.
func TestTestsImportNothingThatStandsAboveTheirPackage(t *testing.T) {
	allowed := table(t, arrows, "→")
	for _, f := range sources(t) {
		for _, to := range f.ours() {
			if f.test && below(allowed, to)[f.pkg] {
				t.Errorf("%s imports %s, which is above %s", f.path, to, f.pkg)
			}
		}
	}
}

func TestEachModuleOfOthersIsImportedOnlyWhereItIsWrapped(t *testing.T) {
	allowed := table(t, modules, "←")
	used := map[string]map[string]bool{}
	for _, f := range sources(t) {
		for _, imp := range f.imports() {
			if !strings.Contains(strings.Split(imp, "/")[0], ".") {
				continue // the standard library, or ours
			}
			mod := ""
			for m := range allowed {
				if imp == m || strings.HasPrefix(imp, m+"/") {
					mod = m
				}
			}
			switch {
			case mod == "":
				t.Errorf("%s imports %s: a module without a row in the table", f.path, imp)
				continue
			case !f.test && !slices.Contains(allowed[mod], f.pkg):
				t.Errorf("%s imports %s, which only %s may", f.path, imp, strings.Join(allowed[mod], ", "))
			}
			if used[mod] == nil {
				used[mod] = map[string]bool{}
			}
			if f.test {
				used[mod]["tests"] = true
			} else {
				used[mod][f.pkg] = true
			}
		}
	}
	for mod, row := range allowed {
		for _, pkg := range row {
			if !used[mod][pkg] {
				t.Errorf("the table lets %s import %s, and no file does", pkg, mod)
			}
		}
	}
}

func TestArchitecturePageQuotesTheTables(t *testing.T) {
	const page = "docs/architecture.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for name, table := range map[string]string{"arrows": arrows, "modules": modules} {
		quote := regexp.MustCompile("(?s)(<!-- " + name + " of imports_test.go -->\n```text)(\n.*?)(```\n)")
		m := quote.FindSubmatch(text)
		if m == nil {
			t.Fatalf("%s has no place for the table %s", page, name)
		}
		if string(m[2]) == table {
			continue
		}
		if text = quote.ReplaceAll(text, []byte("${1}"+table+"${3}")); golden.Updating() {
			err = os.WriteFile(page, text, 0o644)
		} else {
			t.Errorf("%s quotes another table %s than there is: UPDATE_GOLDEN=1 go test . mends it", page, name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// What a package below the programs must leave to its caller. A value of "*" means every name.
var forbidden = map[string][]string{
	"os": {
		"Exit", "Stdin", "Stdout", "Stderr", "Args",
		"Getenv", "LookupEnv", "Environ", "ExpandEnv", "Setenv", "Unsetenv", "Clearenv", "Chdir",
	},
	"syscall": {"Exit", "Getenv", "Environ", "Setenv"},
	"fmt":     {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
	"log":     {"*"},
	"flag":    {"*"},
	"log/slog": {
		"Default", "SetDefault", "Debug", "Info", "Warn", "Error", "Log",
		"DebugContext", "InfoContext", "WarnContext", "ErrorContext", "LogAttrs",
	},
}

// isProgram reports whether a package is a program: one of ours, or the suite that measures them.
func isProgram(pkg string) bool { return strings.HasPrefix(pkg, "cmd/") || pkg == "bench" }

func TestLibrariesDoNotPrintExitOrReadTheEnvironment(t *testing.T) {
	for _, f := range sources(t) {
		if f.test || isProgram(f.pkg) {
			continue
		}
		for _, c := range f.uses(forbidden) {
			t.Errorf("%s: %s: leave it to the program that calls", c.at, c.name)
		}
	}
}

func TestProgramsExitInOnePlace(t *testing.T) {
	exits := map[string][]string{"os": {"Exit"}, "syscall": {"Exit"}, "log": {"Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln"}}
	for _, f := range sources(t) {
		if f.test || !isProgram(f.pkg) {
			continue
		}
		uses := f.uses(exits)
		if path.Base(f.path) == "main.go" {
			if len(uses) != 1 {
				t.Errorf("%s: %d exits, want 1", f.path, len(uses))
			}
			continue
		}
		for _, c := range uses {
			t.Errorf("%s: %s outside main.go: return an error or a code", c.at, c.name)
		}
	}
}

func TestNothingHappensBeforeMain(t *testing.T) {
	for _, f := range sources(t) {
		for _, d := range f.file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: func init", f.at(fn))
			}
		}
	}
}

// The tests above pass on a clean tree; this one shows that they would not on another.
func TestForbiddenUsesAreSeen(t *testing.T) {
	const text = `package x
import (
	"fmt"
	"io"
	"log/slog"
	std "os"
)
var get = std.LookupEnv
func f(w io.Writer, os interface{ Exit(int) }, log *slog.Logger) {
	fmt.Fprintln(w, "fine")
	fmt.Println("no")
	os.Exit(1)
	std.Exit(1)
	log.Info("fine")
	slog.Info("no")
	println("no")
}`
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "x.go", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range (source{file: file, set: set}).uses(forbidden) {
		got = append(got, u.at+" "+u.name)
	}
	want := []string{"x.go:8 std.LookupEnv", "x.go:11 fmt.Println", "x.go:13 std.Exit", "x.go:15 slog.Info", "x.go:16 println"}
	if !slices.Equal(got, want) {
		t.Errorf("saw %q, want %q", got, want)
	}
}

// source is one Go file, whatever system or tag it is for.
type source struct {
	pkg  string // its folder, as the tables name it; "." for this one
	path string
	test bool // a test, or a helper of tests below internal/
	file *ast.File
	set  *token.FileSet
}

// sources reads every Go file of the module.
func sources(t *testing.T) (all []source) {
	t.Helper()
	set := token.NewFileSet()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if p != "." && (name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(set, p, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		p = filepath.ToSlash(p)
		f := source{path.Dir(p), p, strings.HasSuffix(name, "_test.go"), file, set}
		f.test = f.test || strings.HasPrefix(f.pkg, "internal/") && slices.Contains(f.imports(), "testing")
		all = append(all, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (f source) imports() (paths []string) {
	for _, spec := range f.file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value) // the parser has seen that it is a string
		paths = append(paths, p)
	}
	return paths
}

// ours are the imports that belong to this module, as folders.
func (f source) ours() (folders []string) {
	for _, p := range f.imports() {
		if rest, ok := strings.CutPrefix(p, module+"/"); ok {
			folders = append(folders, rest)
		}
	}
	return folders
}

func (f source) at(n ast.Node) string {
	pos := f.set.Position(n.Pos())
	return fmt.Sprintf("%s:%d", filepath.ToSlash(pos.Filename), pos.Line)
}

type use struct{ at, name string }

// uses finds mentions of names of imported packages, called or not, and of the built-in print and println.
func (f source) uses(names map[string][]string) (found []use) {
	local := map[string]string{} // what a package is called in this file → its path
	for i, p := range f.imports() {
		name := path.Base(p)
		if alias := f.file.Imports[i].Name; alias != nil {
			name = alias.Name
		}
		local[name] = p
	}
	ast.Inspect(f.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if !ok {
				return true
			}
			if list := names[local[x.Name]]; slices.Contains(list, n.Sel.Name) || slices.Contains(list, "*") {
				found = append(found, use{f.at(n), x.Name + "." + n.Sel.Name})
			}
		case *ast.CallExpr:
			if fn, ok := n.Fun.(*ast.Ident); ok && (fn.Name == "print" || fn.Name == "println") {
				found = append(found, use{f.at(n), fn.Name})
			}
		}
		return true
	})
	return found
}

// table reads rows "KEY sep VALUE VALUE…".
func table(t *testing.T, text, sep string) map[string][]string {
	t.Helper()
	rows := map[string][]string{}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		key, values, ok := strings.Cut(line, sep)
		key = strings.TrimSpace(key)
		if _, twice := rows[key]; !ok || twice {
			t.Fatalf("row %q: want KEY %s VALUES, each key once", line, sep)
		}
		rows[key] = strings.Fields(values)
		if !slices.IsSorted(rows[key]) {
			t.Errorf("row %q: want its values sorted", line)
		}
	}
	return rows
}

// below is everything that pkg reaches by the arrows.
func below(allowed map[string][]string, pkg string) map[string]bool {
	seen := map[string]bool{}
	for _, to := range allowed[pkg] {
		if !seen[to] {
			seen[to] = true
			maps.Copy(seen, below(allowed, to))
		}
	}
	return seen
}
