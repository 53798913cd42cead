//go:build e2e

package infra

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// These tests want an OpenTofu on the PATH and, by TF_CLI_CONFIG_FILE, a provider hashicorp/aws that answers without an
// account: one that replays the schema and makes up an id and an ARN for each resource. Never run them with another.
// INFRA_OFFLINE=1 says that both are there, and makes a test fail that does not find them.
func tofu(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("tofu")
	if err == nil && os.Getenv("TF_CLI_CONFIG_FILE") == "" {
		err = fmt.Errorf("TF_CLI_CONFIG_FILE names no offline provider")
	}
	if err != nil {
		if os.Getenv("INFRA_OFFLINE") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return path
}

// images are what the second phase is given.
var images = []string{
	"app_image=123456789012.dkr.ecr.us-east-1.amazonaws.com/scalableappbackend-dev-app@sha256:aaaa",
	"loadgen_image=123456789012.dkr.ecr.us-east-1.amazonaws.com/scalableappbackend-dev-loadgen@sha256:bbbb",
}

// needed is what an example cannot do without.
var needed = map[string][]string{
	"complete": {
		"email=ops@example.com", "github_repository=acme/api",
		"collector_image=123456789012.dkr.ecr.us-east-1.amazonaws.com/scalableappbackend-full-collector@sha256:cccc",
		"certificate_arn=arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012", "domain_name=api.example.com",
	},
}

// workspace is a copy of what an example needs, so that no lock file and no state stays here.
func workspace(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"infra", "dashboards"} {
		from := filepath.Join("..", dir)
		err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				if d != nil && d.Name() == ".terraform" {
					return fs.SkipDir
				}
				return err
			}
			if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".lock.hcl") || strings.Contains(path, ".tfstate") {
				return nil
			}
			rel, err := filepath.Rel("..", path)
			if err != nil {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			to := filepath.Join(root, rel)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			return os.WriteFile(to, b, info.Mode())
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// run runs tofu in a folder and returns what it says.
func run(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tofu(t), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TF_IN_AUTOMATION=1", "AWS_ACCESS_KEY_ID=offline", "AWS_SECRET_ACCESS_KEY=offline")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func must(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := run(t, dir, args...)
	if err != nil {
		t.Fatalf("tofu %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func vars(values []string) (args []string) {
	for _, v := range values {
		args = append(args, "-var", v)
	}
	return args
}

// state is what an apply left: attributes by address, without "module.system.".
type state struct {
	resources map[string]map[string]any
	// dependencies are the addresses, without index, that each waited for, through others too.
	dependencies map[string][]string
	outputs      map[string]any
}

func (s state) addresses() (all []string) {
	for a := range s.resources {
		all = append(all, a)
	}
	slices.Sort(all)
	return all
}

func readState(t *testing.T, path string) state {
	t.Helper()
	var file struct {
		Outputs   map[string]struct{ Value any }
		Resources []struct {
			Module, Mode, Type, Name string
			Instances                []struct {
				IndexKey     any `json:"index_key"`
				Attributes   map[string]any
				Dependencies []string
			}
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	s := state{map[string]map[string]any{}, map[string][]string{}, map[string]any{}}
	for name, o := range file.Outputs {
		s.outputs[name] = o.Value
	}
	for _, r := range file.Resources {
		if r.Mode != "managed" {
			continue
		}
		for _, i := range r.Instances {
			address := r.Type + "." + r.Name
			switch key := i.IndexKey.(type) {
			case string:
				address += fmt.Sprintf("[%q]", key)
			case float64:
				address += fmt.Sprintf("[%d]", int(key))
			}
			s.resources[address] = i.Attributes
			for _, d := range i.Dependencies {
				s.dependencies[address] = append(s.dependencies[address], strings.TrimPrefix(d, "module.system."))
			}
		}
	}
	return s
}

var applied struct {
	sync.Mutex
	by map[string]state
}

// applyExample applies an example of a fresh copy with images, and remembers the state for other tests.
func applyExample(t *testing.T, example string) state {
	t.Helper()
	tofu(t)
	applied.Lock()
	defer applied.Unlock()
	if s, ok := applied.by[example]; ok {
		return s
	}
	s, out, err := applyIn(t, workspace(t), example)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if applied.by == nil {
		applied.by = map[string]state{}
	}
	applied.by[example] = s
	return s
}

func applyIn(t *testing.T, root, example string) (state, string, error) {
	t.Helper()
	dir := filepath.Join(root, "infra", "examples", example)
	if out, err := run(t, dir, "init", "-backend=false", "-input=false", "-no-color"); err != nil {
		return state{}, out, err
	}
	args := append([]string{"apply", "-auto-approve", "-input=false", "-no-color"}, vars(append(slices.Clone(images), needed[example]...))...)
	if out, err := run(t, dir, args...); err != nil {
		return state{}, out, err
	}
	return readState(t, filepath.Join(dir, "terraform.tfstate")), "", nil
}

// find follows a path of names and indexes through attributes; "*" is each element, and "@json" parses a string.
// It returns every value that the path reaches.
func find(v any, path string) []any {
	at := []any{v}
	for step := range strings.SplitSeq(path, "/") {
		var next []any
		for _, v := range at {
			switch {
			case step == "@json":
				var parsed any
				if s, ok := v.(string); ok && json.Unmarshal([]byte(s), &parsed) == nil {
					next = append(next, parsed)
				}
			case step == "*":
				switch v := v.(type) {
				case []any:
					next = append(next, v...)
				case map[string]any:
					for _, e := range v {
						next = append(next, e)
					}
				}
			default:
				switch v := v.(type) {
				case map[string]any:
					if e, ok := v[step]; ok && e != nil {
						next = append(next, e)
					}
				case []any:
					var i int
					if n, err := fmt.Sscanf(step, "%d", &i); n == 1 && err == nil && i < len(v) {
						next = append(next, v[i])
					}
				}
			}
		}
		at = next
	}
	return at
}
