package infra

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// uses are what loadgen does on AWS, each with the policies that it needs: docs/iam.md has the same table.
var uses = map[string][]string{
	"run --cloudwatch":                      {"load-metrics"},
	"run --s3":                              {"load-results"},
	"report, merge and compare of s3://":    {"results-read"},
	"fargate run":                           {"launch-run", "load-results"},
	"fargate run --image":                   {"launch-image", "launch-run", "load-results"},
	"fargate plan":                          {"launch-plan"},
	"fargate collect":                       {"launch-collect", "results-read"},
	"watch, run --watch":                    {"load-watch"},
	"watch --watch-log":                     {"load-watch", "watch-log"},
	"spans through a collector":             {"tracing"},
	"OTLP metrics to CloudWatch's endpoint": {"otlp-metrics"},
	"a bucket with a key of your own":       {"load-results-key"},
}

// made are the packages that call AWS, with the policies that allow exactly what each calls, and what AWS asks for beside a call's own
// action.
var made = map[string]struct {
	policies []string
	switched []string          // policies of what is written only when it is asked for
	beside   map[string]string // an action, and why
}{
	"../loadgen/aws/publish": {policies: []string{"load-metrics"}},
	"../loadgen/aws/store":   {policies: []string{"load-results"}},
	"../loadgen/aws/tasks": {
		policies: []string{"launch-run", "launch-image", "launch-plan"},
		beside: map[string]string{
			"iam:PassRole":    "RunTask passes the roles of the task definition",
			"ecs:TagResource": "RunTask with tags",
		},
	},
	"../loadgen/aws/scaling": {policies: []string{"load-watch"}, switched: []string{"watch-log"}},
}

// parts are policies of whoever does less than the package's whole.
var parts = map[string]string{"results-read": "load-results", "launch-collect": "launch-run"}

// prefixes are the SDK's packages, by what IAM calls the service.
var prefixes = map[string]string{
	"applicationautoscaling": "application-autoscaling", "cloudwatch": "cloudwatch", "cloudwatchlogs": "logs", "ecs": "ecs",
	"elasticloadbalancingv2": "elasticloadbalancing", "s3": "s3", "sts": "sts",
}

// otherwise are calls whose action has another name (Service Authorization Reference, "Actions … for Amazon S3").
var otherwise = map[string]string{"s3:ListObjectsV2": "s3:ListBucket", "s3:HeadBucket": "s3:ListBucket", "s3:HeadObject": "s3:GetObject"}

// calls are the actions of the calls that a package's production files can make: those with an input type of the SDK's, and those
// signed by hand, which name service and operation.
func calls(t *testing.T, dir string) (actions []string) {
	t.Helper()
	found := map[string]bool{}
	files, err := filepath.Glob(dir + "/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no Go file (%v)", dir, err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for action := range callsOf(f) {
			found[action] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func callsOf(f *ast.File) map[string]bool {
	services := map[string]string{}
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value) // it was parsed
		name, isService := strings.CutPrefix(path, "github.com/aws/aws-sdk-go-v2/service/")
		if !isService || strings.Contains(name, "/") {
			continue
		}
		prefix, known := prefixes[name]
		if !known {
			prefix = "unknown service " + name
		}
		if i.Name != nil {
			name = i.Name.Name
		}
		services[name] = prefix
	}
	found := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			pkg, ok := n.X.(*ast.Ident)
			operation, isInput := strings.CutSuffix(n.Sel.Name, "Input")
			if ok && isInput && services[pkg.Name] != "" {
				action := services[pkg.Name] + ":" + operation
				if other, has := otherwise[action]; has {
					action = other
				}
				found[action] = true
			}
		case *ast.CallExpr: // x.call(ctx, "ec2", "DescribeSubnets", …)
			if s, ok := n.Fun.(*ast.SelectorExpr); !ok || s.Sel.Name != "call" || len(n.Args) < 3 {
				return true
			}
			var words []string
			for _, a := range n.Args[1:3] {
				if l, ok := a.(*ast.BasicLit); ok && l.Kind == token.STRING {
					word, _ := strconv.Unquote(l.Value)
					words = append(words, word)
				}
			}
			if len(words) == 2 {
				found[words[0]+":"+words[1]] = true
			}
		}
		return true
	})
	return found
}

// allowed are a template's actions.
func allowed(t *testing.T, name string) (actions []string) {
	t.Helper()
	var p policy
	if err := json.Unmarshal([]byte(templates(t)[name+".json.tftpl"]), &p); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, s := range p.Statement {
		if s.Effect == "Allow" {
			actions = append(actions, s.Action...)
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

// What is missing fails on AWS, where nothing of this was tried; what is too much is not the least.
func TestPoliciesAllowWhatTheProgramCallsAndNoMore(t *testing.T) {
	for dir, m := range made {
		if _, err := os.Stat(dir); err != nil {
			t.Logf("%s is not here", dir)
			continue
		}
		var may []string
		all := calls(t, dir)
		for _, name := range m.policies {
			may = append(may, allowed(t, name)...)
		}
		for _, name := range m.switched { // all of it, or nothing
			if slices.ContainsFunc(allowed(t, name), func(a string) bool { return slices.Contains(all, a) }) {
				may = append(may, allowed(t, name)...)
			}
		}
		slices.Sort(may)
		may = slices.Compact(may)
		want := append(all, slices.Collect(maps.Keys(m.beside))...)
		slices.Sort(want)
		if problem := differ(may, want); problem != "" {
			t.Errorf("%s and %v: %s", dir, m.policies, problem)
		}
	}
}

// differ says what is in one of two sorted lists alone.
func differ(may, want []string) string {
	var said []string
	for _, a := range want {
		if !slices.Contains(may, a) {
			said = append(said, a+" is called and not allowed")
		}
	}
	for _, a := range may {
		if !slices.Contains(want, a) {
			said = append(said, a+" is allowed and not called")
		}
	}
	return strings.Join(said, "; ")
}

func TestACallWithoutItsActionIsSeen(t *testing.T) {
	source := `package x
import (
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)
func f(c *ecs.Client, a account) {
	in := &ecs.StopTaskInput{}
	c.StopTask(nil, in)
	var _ elb.DescribeTargetHealthInput
	_ = &s3.ListObjectsV2Input{}
	_ = types.TaskInput{}
	_ = &sqs.SendMessageInput{}
	a.call(nil, "ec2", "DescribeSubnets", nil)
}`
	f, err := parser.ParseFile(token.NewFileSet(), "x.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(maps.Keys(callsOf(f)))
	want := []string{"ec2:DescribeSubnets", "ecs:StopTask", "elasticloadbalancing:DescribeTargetHealth", "s3:ListBucket", "unknown service sqs:SendMessage"}
	if !slices.Equal(got, want) {
		t.Errorf("calls %q, want %q", got, want)
	}
	if differ([]string{"ecs:RunTask"}, []string{"ecs:RunTask"}) != "" || differ(nil, []string{"ecs:RunTask"}) == "" || differ([]string{"ecs:RunTask"}, nil) == "" {
		t.Error("a difference is not seen, or one is seen where there is none")
	}
}

// Each package that calls AWS has a row; each policy of a use is one that is there, and rendered by Terraform too.
func TestEveryUseHasItsPolicies(t *testing.T) {
	err := filepath.WalkDir("../loadgen/aws", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || path == "../loadgen/aws" || d.Name() == "testdata" || d.Name() == "awstest" {
			return err
		}
		if files, _ := filepath.Glob(path + "/*.go"); len(files) == 0 {
			return nil
		}
		if _, ok := made[path]; !ok && len(calls(t, path)) > 0 {
			t.Errorf("%s calls AWS, and no policy is held to it", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	terraform := text(t, "iam.tf")
	page := text(t, "../docs/iam.md")
	used := map[string]bool{}
	for use, policies := range uses {
		row := fmt.Sprintf("| %s | `%s` |", use, strings.Join(policies, "`, `"))
		if !strings.Contains(page, row) {
			t.Errorf("docs/iam.md has no row %s", row)
		}
		for _, name := range policies {
			used[name] = true
			if !strings.Contains(terraform, `"${local.policies}/`+name+`.json.tftpl"`) {
				t.Errorf("Terraform does not render %s", name)
			}
			if len(allowed(t, name)) == 0 {
				t.Errorf("%s allows nothing", name)
			}
		}
	}
	for _, m := range made {
		for _, name := range m.policies {
			if !used[name] {
				t.Errorf("%s is of no use", name)
			}
		}
	}
	for part, whole := range parts {
		for _, action := range allowed(t, part) {
			if !slices.Contains(allowed(t, whole), action) {
				t.Errorf("%s allows %s, which %s does not", part, action, whole)
			}
		}
	}
}

// What a role is passed to, which cluster a task runs in and what made a tag are conditions, because the resource does not say it.
func TestALauncherMayDoThatInItsClusterAlone(t *testing.T) {
	var p policy
	if err := json.Unmarshal([]byte(templates(t)["launch-run.json.tftpl"]), &p); err != nil {
		t.Fatal(err)
	}
	for action, want := range map[string][3]string{
		"ecs:RunTask":       {"ArnEquals", "ecs:cluster", "cluster_arn"},
		"ecs:StopTask":      {"ArnEquals", "ecs:cluster", "cluster_arn"},
		"ecs:DescribeTasks": {"ArnEquals", "ecs:cluster", "cluster_arn"},
		"ecs:TagResource":   {"StringEquals", "ecs:CreateAction", "RunTask"},
		"iam:PassRole":      {"StringEquals", "iam:PassedToService", "ecs-tasks.amazonaws.com"},
	} {
		i := slices.IndexFunc(p.Statement, func(s statement) bool { return slices.Contains(s.Action, action) })
		if i < 0 {
			t.Errorf("no %s", action)
			continue
		}
		s := p.Statement[i]
		if s.Condition[want[0]][want[1]] != want[2] || slices.Contains(s.Resource, "*") {
			t.Errorf("%s on %v with %v, want the condition %v and a resource", action, s.Resource, s.Condition, want)
		}
		if action == "ecs:RunTask" && !strings.HasSuffix(s.Resource[0], ":task-definition/family:*") {
			t.Errorf("RunTask on %v, want any revision of a family", s.Resource)
		}
	}
}
