package scalableappbackend

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// A clock that is set while a run goes on must not change a latency, a rate or when a send is due. Go's time.Since and Sub go by
// the monotonic reading as long as nobody takes it out of a Time. What takes it out, or reads the wall clock as a
// number, has no place in the packages that measure: they know a time of day only to write it down.
func TestMeasuringGoesByTheMonotonicClock(t *testing.T) {
	wall := map[string]bool{"Unix": true, "UnixMilli": true, "UnixMicro": true, "UnixNano": true, "Round": true, "Truncate": true, "UTC": true, "Local": true, "In": true}
	allowed := map[string]string{
		// method and receiver, as written: why it is no wall clock, or does no harm
		"time.Now().UTC":                         "about when a run will start, for the names of files",
		"s.began.UTC":                            "the time of day at which a run started, for its result",
		"(s.attack.Elapsed() - settle).Truncate": "a Duration",
		"from.Truncate":                          "a Duration",
		"e.At.UTC":                               "an instant that somebody gave, in a message",
		"e.By.Round":                             "a Duration",
		"math.Round":                             "a number",
	}
	for _, dir := range []string{"loadgen", "loadgen/attack", "loadgen/measure"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				selector, ok := n.(*ast.SelectorExpr)
				if !ok || !wall[selector.Sel.Name] {
					return true
				}
				if text := expression(selector); allowed[text] == "" {
					t.Errorf("%s: %s reads or leaves a wall clock", set.Position(n.Pos()), text)
				}
				return true
			})
		}
	}
}

// expression is a selector as it is written.
func expression(n ast.Expr) string {
	switch x := n.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return expression(x.X) + "." + x.Sel.Name
	case *ast.CallExpr:
		return expression(x.Fun) + "()"
	case *ast.ParenExpr:
		return "(" + expression(x.X) + ")"
	case *ast.BinaryExpr:
		return expression(x.X) + " " + x.Op.String() + " " + expression(x.Y)
	}
	return "…"
}
