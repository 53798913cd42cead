// Package infra has no code of Go: its tests hold the Terraform here to the programs, to the seed and to its own text.
// What needs OpenTofu and an offline provider is under the tag e2e.
package infra

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/lab"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/server"
)

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// variables are the module's variables by name, each as its block's text.
func variables(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	paths, _ := filepath.Glob("variables*.tf") // the pattern is well formed
	for _, path := range paths {
		for _, m := range regexp.MustCompile(`(?ms)^variable "(\w+)" \{\n(.*?)^\}`).FindAllStringSubmatch(text(t, path), -1) {
			all[m[1]] = m[2]
		}
	}
	if len(all) < 40 {
		t.Fatalf("found %d variables; has the form of variables*.tf changed?", len(all))
	}
	return all
}

func number(t *testing.T, all map[string]string, name string) float64 {
	t.Helper()
	m := regexp.MustCompile(`(?m)^  default\s*= (.*)$`).FindStringSubmatch(all[name])
	if m == nil {
		t.Fatalf("variable %s has no default", name)
	}
	n, err := strconv.ParseFloat(strings.Trim(m[1], `"`), 64)
	if err != nil {
		t.Fatalf("variable %s: %v", name, err)
	}
	return n
}

// The lab, the simulation and AWS run the same experiment: these are the module's defaults, which examples/seed leaves
// as they are.
func TestTheLabAndTheSeedReadTheSameNumbers(t *testing.T) {
	all := variables(t)
	profile := plan.Default()
	for name, want := range map[string]float64{
		"min_capacity":           autoscaling.DefaultMin,
		"max_capacity":           autoscaling.DefaultMax,
		"requests_target":        autoscaling.DefaultRequestsTarget,
		"cpu_target":             autoscaling.DefaultCPUTarget,
		"scale_out_cooldown":     autoscaling.DefaultScaleOutCooldown.Seconds(),
		"scale_in_cooldown":      autoscaling.DefaultScaleInCooldown.Seconds(),
		"deregistration_delay":   autoscaling.DefaultDeregistrationDelay.Seconds(),
		"health_check_interval":  autoscaling.DefaultHealthCheckInterval.Seconds(),
		"health_check_threshold": autoscaling.DefaultHealthCheckThreshold,
		"app_stop_timeout":       lab.DefaultStop.Seconds(),
		"shutdown_grace":         server.DefaultGrace.Seconds(),
		"load_users":             float64(profile.Users),
		"load_spawn_rate":        profile.SpawnRate,
	} {
		if got := number(t, all, name); got != want {
			t.Errorf("variable %s is %v, the programs have %v", name, got, want)
		}
	}
	m := regexp.MustCompile(`default\s*= "(.*)"`).FindStringSubmatch(all["load_run_time"])
	if d, err := time.ParseDuration(m[1]); err != nil || d != time.Duration(profile.RunTime) {
		t.Errorf("load_run_time is %s, the program has %v", m[1], profile.RunTime)
	}
	seed := text(t, "examples/seed/main.tf")
	for name := range all {
		switch name {
		case "app_image", "loadgen_image", "force_delete":
			continue
		}
		if regexp.MustCompile(`(?m)^\s+` + name + `\s*=`).MatchString(seed) {
			t.Errorf("examples/seed sets %s, so its numbers are not the module's defaults any more", name)
		}
	}
}

func TestTheTaskDefinitionsFitTheImages(t *testing.T) {
	server, load := text(t, "../Dockerfile.server"), text(t, "../Dockerfile.loadgen")
	service, loadtask := text(t, "service.tf"), text(t, "loadtask.tf")
	find := func(where, pattern string) string {
		m := regexp.MustCompile(pattern).FindStringSubmatch(where)
		if m == nil {
			t.Fatalf("nothing like %s", pattern)
		}
		return m[1]
	}
	for _, c := range []struct{ reason, image, infra string }{
		{"a volume anywhere else than at the image's VOLUME belongs to root", find(load, `(?m)^VOLUME (\S+)`), find(loadtask, `containerPath = "(.*?)"`)},
		{"the API's user", find(server, `(?m)^USER (\S+)`), find(service, `user\s*= "(.*?)"`)},
		{"the load generator's user", find(load, `(?m)^USER (\S+)`), find(loadtask, `user\s*= "(.*?)"`)},
		{"the health check's words", strings.ReplaceAll(find(server, `HEALTHCHECK .* CMD \[(.*?)\]`), " ", ""), strings.ReplaceAll(find(service, `\["CMD", (.*?)\]`), " ", "")},
		{"the API's port", find(server, `SERVER_ADDR=:(\d+)`), strconv.Itoa(int(number(t, variables(t), "container_port")))},
	} {
		if c.image != c.infra {
			t.Errorf("%s: the image has %s, infra has %s", c.reason, c.image, c.infra)
		}
	}
	program := text(t, "../cmd/server/config.go")
	for _, m := range regexp.MustCompile(`"(SERVER_\w+)"`).FindAllStringSubmatch(service, -1) {
		if !strings.Contains(program, m[1]) {
			t.Errorf("the task definition sets %s, which the server does not read", m[1])
		}
	}
}

// Examples are read by one script, so their outputs are the same.
func TestAllExamplesHaveTheSameOutputs(t *testing.T) {
	want := text(t, "examples/seed/outputs.tf")
	paths, _ := filepath.Glob("examples/*/outputs.tf")
	if len(paths) < 3 {
		t.Fatalf("found %v", paths)
	}
	for _, path := range paths {
		if strings.Contains(path, "remote-state") {
			continue // no system
		}
		if text(t, path) != want {
			t.Errorf("%s differs from the seed's", path)
		}
	}
	// What loadgen reads, by name: scripts and its own launcher hold on to these.
	for _, name := range []string{
		"cluster", "service", "load_task_definition", "load_subnets", "load_security_groups", "load_assign_public_ip", "results_bucket", "alb_url", "watch_log_group",
	} {
		if !strings.Contains(want, `output "`+name+`"`) {
			t.Errorf("no output %s", name)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^output "(\w+)"`).FindAllStringSubmatch(text(t, "outputs.tf"), -1) {
		if !strings.Contains(want, `output "`+m[1]+`"`) {
			t.Errorf("examples do not pass on the output %s", m[1])
		}
	}
}

// Without mocks a test run would build all of it in the account of whoever typed it.
func TestEveryTerraformTestMocksTheProvider(t *testing.T) {
	paths, _ := filepath.Glob("tests/*.tftest.hcl") // the pattern is well formed
	if len(paths) < 3 {
		t.Fatalf("found %v", paths)
	}
	for _, path := range paths {
		if !regexp.MustCompile(`(?m)^mock_provider "aws" \{$`).MatchString(text(t, path)) {
			t.Errorf("%s has no mock_provider of the whole file", path)
		}
		for _, m := range regexp.MustCompile(`(?m)^run "(.*)" \{$`).FindAllStringSubmatch(text(t, path), -1) {
			if strings.Count(m[1], "_") < 3 {
				t.Errorf("%s: run %s is no sentence", path, m[1])
			}
		}
	}
}
