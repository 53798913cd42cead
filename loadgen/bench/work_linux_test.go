package bench

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"scalableappbackend/internal/contract"
)

// Work is counted, since times depend on the machine: a request is one send and one receive, a share of a wait, and no memory.
func TestARequestIsTwoSystemCallsAndNoMemory(t *testing.T) {
	url := contract.OtherProcess(t)
	execute(t, few(url, 10, 100), nil) // whatever is made once
	const n = 10_000
	var before, after runtime.MemStats
	b := prepared(t, few(url, 10, n))
	b.Begin()
	drivers := b.newDrivers()
	runtime.ReadMemStats(&before)
	files := ioCalls(t)
	b.drive(drivers...)
	b.running.Wait()
	files = ioCalls(t) - files
	runtime.ReadMemStats(&after)
	var made calls
	for _, d := range drivers {
		l := d.(*loop)
		made.waits, made.sends, made.receives = made.waits+l.calls.waits, made.sends+l.calls.sends, made.receives+l.calls.receives
		d.close()
	}
	// A wait that brings no answer ends by a signal or its time.
	if made.sends != n || made.receives != n || made.waits > n+200 {
		t.Errorf("%+v for %d requests", made, n)
	}
	if files > 200 { // those of the runtime's own poller
		t.Errorf("%d reads and writes beside sends and receives", files)
	}
	if made := after.Mallocs - before.Mallocs; made > n/2 { // what is made once: buffers, and a second's first header on each connection
		t.Errorf("%d allocations for %d requests", made, n)
	}
}

// A trace is written into room that its connection has: memory is made for the examples that are kept alone.
func TestATracedRequestTakesNoMemory(t *testing.T) {
	url := contract.OtherProcess(t)
	execute(t, few(url, 10, 100), nil) // whatever is made once
	const n = 10_000
	p := few(url, 10, n)
	p.Client.TraceRatio = 1
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := execute(t, p, nil)
	runtime.ReadMemStats(&after)
	if r.requests != n || r.failures > 0 {
		t.Fatalf("%d requests, failures %v", r.requests, r.messages)
	}
	if made := after.Mallocs - before.Mallocs; made > n/2 {
		t.Errorf("%d allocations for %d requests", made, n)
	}
}

// ioCalls is how many read and write calls this process has made.
func ioCalls(t *testing.T) int64 {
	data, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skip(err) // a container may not show it
	}
	var sum int64
	for line := range strings.Lines(string(data)) {
		var n int64
		for _, name := range []string{"syscr", "syscw"} {
			if _, err := fmt.Sscanf(line, name+": %d", &n); err == nil {
				sum += n
			}
		}
	}
	return sum
}

// Loops must not meet: a lock or an atomic that they share is a cache line that travels between processors with each
// request. What a loop shares is its part of the recorder, whose journals are one a loop and meet once in some 64
// requests; the claims, some hundred requests at a time; and what it reads when it is woken.
func TestALoopSharesNoLockAndNoAtomicWithOthers(t *testing.T) {
	allowed := map[string][]string{
		"obey":  {"Load"}, // woken, at a stop or a cut
		"begin": {"take"}, // claims
		"move":  {"drive"},
	}
	const suspicious = " Load Store Swap CompareAndSwap Add Lock Unlock TryLock RLock take drive wakeAll "
	set := token.NewFileSet()
	var declared []ast.Decl
	for _, name := range []string{"loop_linux.go", "calls_linux.go"} {
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		declared = append(declared, file.Decls...)
	}
	seen := 0
	for _, d := range declared {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv == nil || !strings.Contains(fmt.Sprint(f.Recv.List[0].Type.(*ast.StarExpr).X), "loop") {
			continue
		}
		seen++
		ast.Inspect(f.Body, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.SelectorExpr:
				if strings.Contains(suspicious, " "+x.Sel.Name+" ") && !slices.Contains(allowed[f.Name.Name], x.Sel.Name) {
					t.Errorf("%s: %s calls %s", set.Position(x.Pos()), f.Name.Name, x.Sel.Name)
				}
			case *ast.SendStmt, *ast.SelectStmt, *ast.GoStmt:
				t.Errorf("%s: %s uses channels or goroutines", set.Position(n.Pos()), f.Name.Name)
			case *ast.UnaryExpr:
				if x.Op == token.ARROW {
					t.Errorf("%s: %s receives", set.Position(n.Pos()), f.Name.Name)
				}
			}
			return true
		})
	}
	if seen < 15 {
		t.Errorf("only %d methods of loops were looked at", seen)
	}
}
