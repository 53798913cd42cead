//go:build e2e

package infra

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// open is where 0.0.0.0/0 may stand, with the reason.
var open = map[string]string{
	`aws_route.public_internet[0]`:                              "the public subnets' way out, as drawn",
	`aws_route.private_nat[0]`:                                  "load_path nat: the private subnets' way out",
	`aws_vpc_security_group_ingress_rule.alb_clients["80"]`:     "clients, as drawn",
	`aws_vpc_security_group_ingress_rule.alb_clients["443"]`:    "clients, with a certificate",
	`aws_vpc_security_group_egress_rule.load_alb_public["80"]`:  "the stated exception: a public load balancer has no group's addresses",
	`aws_vpc_security_group_egress_rule.load_alb_public["443"]`: "the same, with a certificate",
}

func (s state) opened() (addresses []string) {
	for _, address := range s.addresses() {
		if strings.HasPrefix(address, "aws_cloudwatch_dashboard.") {
			continue
		}
		b, err := json.Marshal(s.resources[address])
		if err != nil {
			panic(err) // it came from JSON
		}
		if strings.Contains(string(b), "0.0.0.0/0") || strings.Contains(string(b), `"::/0"`) {
			addresses = append(addresses, address)
		}
	}
	return addresses
}

func TestNothingIsOpenToTheWorldButWhatIsStated(t *testing.T) {
	for _, example := range []string{"seed", "minimal", "complete"} {
		t.Run(example, func(t *testing.T) {
			for _, address := range applyExample(t, example).opened() {
				if open[address] == "" {
					t.Errorf("%s is open to 0.0.0.0/0", address)
				}
			}
		})
	}
	s := applyExample(t, "seed")
	s.resources["aws_vpc_security_group_ingress_rule.ecs_alb2"] = map[string]any{"cidr_ipv4": "0.0.0.0/0"}
	defer delete(s.resources, "aws_vpc_security_group_ingress_rule.ecs_alb2")
	if !slices.Contains(s.opened(), "aws_vpc_security_group_ingress_rule.ecs_alb2") {
		t.Error("an open rule is not seen")
	}
}

// Policies as they are applied, filled and merged, whichever attribute they stand in.
func TestNoAppliedPolicyAllowsMoreThanTheListOnEveryResource(t *testing.T) {
	for _, example := range []string{"seed", "minimal", "complete"} {
		t.Run(example, func(t *testing.T) {
			s, n := applyExample(t, example), 0
			for _, address := range s.addresses() {
				for attr, v := range s.resources[address] {
					document, ok := v.(string)
					if !ok || !strings.Contains(document, `"Statement"`) {
						continue
					}
					var p policy
					if err := json.Unmarshal([]byte(document), &p); err != nil {
						t.Errorf("%s %s: %v", address, attr, err)
					}
					n++
					// For a linter of identity policies; those of resources name a principal, which it does not know.
					if dir := os.Getenv("INFRA_POLICIES"); dir != "" && !strings.Contains(document, `"Principal"`) {
						name := regexp.MustCompile(`[^a-z0-9_]+`).ReplaceAllString(example+"_"+address, "-") + ".json"
						if err := os.WriteFile(filepath.Join(dir, name), []byte(document), 0o600); err != nil {
							t.Fatal(err)
						}
					}
					for _, action := range unlisted(p) {
						t.Errorf("%s allows %s on *", address, action)
					}
				}
			}
			if n < 5 {
				t.Errorf("found %d policies", n)
			}
		})
	}
}

// additions are what examples/seed has beyond the seed's drawing, each with its reason.
var additions = map[string]string{
	"aws_default_security_group.closed":                          "nobody's group allows nobody",
	"aws_appautoscaling_target.service":                          "what both drawn policies hang on",
	"aws_cloudwatch_event_rule.reaper":                           "a load task that hangs costs money until somebody looks",
	"aws_cloudwatch_event_target.reaper":                         "the same",
	"aws_sfn_state_machine.reaper":                               "the same",
	"aws_iam_role.reaper":                                        "the same",
	"aws_iam_role_policy.reaper":                                 "the same",
	"aws_iam_role.reaper_start":                                  "the same",
	"aws_iam_role_policy.reaper_start":                           "the same",
	"aws_cloudwatch_log_group.watch":                             "scaling activities, which the seed's observability names and no event carries",
	"aws_cloudwatch_metric_alarm.errors":                         "a bad version goes back by itself",
	"aws_ecr_lifecycle_policy.main":                              "old images cost storage",
	"aws_ecs_cluster_capacity_providers.main":                    "Fargate, by name",
	"aws_iam_role.load":                                          "the load test's own permissions, apart from the API's",
	"aws_iam_role_policy.load":                                   "metrics and results",
	"aws_s3_bucket.results":                                      "several load tasks merge through it",
	"aws_s3_bucket_lifecycle_configuration.results":              "results go after 90 days",
	"aws_s3_bucket_ownership_controls.results":                   "no ACLs",
	"aws_s3_bucket_policy.results":                               "TLS alone",
	"aws_s3_bucket_public_access_block.results":                  "private",
	"aws_s3_bucket_server_side_encryption_configuration.results": "encrypted",
	`aws_vpc_endpoint.interface["monitoring"]`:                   "the seed's list lacks it, and metrics need it",
	"aws_security_group.endpoints":                               "endpoints have a group; the drawing does not show one",
}

// drawn are the seed's rows.
var drawn = []string{
	"aws_vpc.main", "aws_subnet.public", "aws_subnet.private", "aws_internet_gateway.main", "aws_route_table.public", "aws_route_table.private",
	"aws_route.public_internet", "aws_route_table_association.public", "aws_route_table_association.private",
	"aws_lb.main", "aws_lb_listener.http", "aws_lb_target_group.app",
	"aws_ecs_cluster.main", "aws_ecs_service.app", "aws_ecs_task_definition.app", "aws_ecs_task_definition.load",
	"aws_security_group.alb", "aws_security_group.ecs", "aws_security_group.load",
	"aws_vpc_security_group_ingress_rule.alb_clients", "aws_vpc_security_group_egress_rule.alb_ecs", "aws_vpc_security_group_ingress_rule.ecs_alb",
	"aws_vpc_security_group_egress_rule.ecs_endpoints", "aws_vpc_security_group_egress_rule.ecs_s3",
	"aws_vpc_security_group_egress_rule.load_alb_public", "aws_vpc_security_group_egress_rule.load_endpoints", "aws_vpc_security_group_egress_rule.load_s3",
	"aws_vpc_security_group_ingress_rule.endpoints",
	"aws_ecr_repository.main", `aws_vpc_endpoint.interface["ecr.api"]`, `aws_vpc_endpoint.interface["ecr.dkr"]`, `aws_vpc_endpoint.interface["logs"]`,
	"aws_vpc_endpoint.s3", "aws_vpc_endpoint.dynamodb", "aws_cloudwatch_log_group.app",
	"aws_appautoscaling_policy.requests", "aws_appautoscaling_policy.cpu",
	"aws_iam_role.execution", "aws_iam_role_policy.execution", "aws_iam_role.app",
}

func TestTheSeedHasItsRowsAndTheListedAdditionsAndNothingElse(t *testing.T) {
	s := applyExample(t, "seed")
	used := map[string]bool{}
	for _, address := range s.addresses() {
		kind, _, _ := strings.Cut(address, "[")
		switch {
		case slices.Contains(drawn, address) || additions[address] != "":
			used[address] = true
		case slices.Contains(drawn, kind) || additions[kind] != "":
			used[kind] = true
		default:
			t.Errorf("%s is neither the seed's nor a listed addition", address)
		}
	}
	for _, a := range drawn {
		if !used[a] {
			t.Errorf("%s of the seed is not there", a)
		}
	}
	for a := range additions {
		if !used[a] {
			t.Errorf("the listed addition %s is not there", a)
		}
	}
}

// What a task needs before it can start is in no argument of the service, so the state must say that it waited.
func TestTheServiceWaitsForWhatItsTasksNeed(t *testing.T) {
	for _, example := range []string{"seed", "complete"} {
		t.Run(example, func(t *testing.T) {
			s := applyExample(t, example)
			waited := s.dependencies[service]
			for _, address := range s.addresses() {
				kind, _, _ := strings.Cut(address, "[")
				for _, prefix := range []string{
					"aws_lb_listener", "aws_route.", "aws_route_table_association.", "aws_vpc_endpoint.", "aws_iam_role_policy.execution", "aws_iam_role_policy.app_",
					"aws_iam_role_policy_attachment.deployment", "aws_ecs_cluster_capacity_providers.", "aws_cloudwatch_log_group.app",
					"aws_vpc_security_group_egress_rule.ecs_", "aws_vpc_security_group_egress_rule.alb_", "aws_vpc_security_group_ingress_rule.",
				} {
					if strings.HasPrefix(kind, prefix) && !slices.Contains(waited, kind) {
						t.Errorf("the service does not wait for %s", kind)
					}
				}
			}
			for from, to := range map[string]string{
				"aws_appautoscaling_policy.requests[0]":            "aws_lb_listener.http",
				"aws_appautoscaling_target.service[0]":             "aws_ecs_service.app",
				"aws_lb.main[0]":                                   "aws_route.public_internet",
				`aws_ecs_task_definition.app[0]`:                   "aws_cloudwatch_log_group.app",
				`aws_s3_bucket_policy.results[0]`:                  "aws_s3_bucket_public_access_block.results",
				`aws_vpc_security_group_egress_rule.ecs_endpoints`: "aws_security_group.endpoints",
			} {
				if !slices.Contains(s.dependencies[from], to) {
					t.Errorf("%s does not wait for %s", from, to)
				}
			}
			if example == "complete" {
				for from, to := range map[string]string{
					"aws_lb.main[0]":                              "aws_s3_bucket_policy.alb_logs",
					"aws_cloudwatch_log_group.app":                "aws_kms_key.main",
					`aws_cloudwatch_event_target.events["tasks"]`: "aws_cloudwatch_log_resource_policy.events",
				} {
					if !slices.Contains(s.dependencies[from], to) {
						t.Errorf("%s does not wait for %s", from, to)
					}
				}
			}
		})
	}
}

func TestDefaultTagsReachEverythingThatTakesTags(t *testing.T) {
	s, n := applyExample(t, "complete"), 0
	for _, address := range s.addresses() {
		tags, ok := s.resources[address]["tags_all"].(map[string]any)
		if !ok {
			continue
		}
		n++
		for _, name := range []string{"Project", "Environment", "ManagedBy"} {
			if tags[name] == nil {
				t.Errorf("%s lacks the tag %s", address, name)
			}
		}
	}
	if n < 60 {
		t.Errorf("%d resources with tags", n)
	}
}

// What ECS starts takes its tags from the service, not from the provider.
func TestTasksCarryTheTagsOfTheirService(t *testing.T) {
	s := applyExample(t, "seed")
	if got := s.resources[service]["propagate_tags"]; got != "SERVICE" {
		t.Errorf("propagate_tags %v", got)
	}
}

func TestNamesKeepToTheirLimits(t *testing.T) {
	for _, example := range []string{"seed", "minimal", "complete"} {
		s := applyExample(t, example)
		for _, address := range s.addresses() {
			name, _ := s.resources[address]["name"].(string)
			limit := 255
			switch kind, _, _ := strings.Cut(address, "."); kind {
			case "aws_lb", "aws_lb_target_group":
				limit = 32
			case "aws_iam_role", "aws_cloudwatch_event_rule":
				limit = 64
			}
			if len(name) > limit {
				t.Errorf("%s: %q has %d characters, the limit is %d", address, name, len(name), limit)
			}
			if bucket, ok := s.resources[address]["bucket"].(string); ok && strings.HasPrefix(address, "aws_s3_bucket.") && len(bucket) > 63 {
				t.Errorf("%s: %q is too long", address, bucket)
			}
		}
	}
}

// Both phases of a bootstrap are planned, without -target: the first without images, the second adds what needs them, and
// changes only the dashboards, which show the alarms of the policies that it adds.
func TestBothPhasesOfABootstrapArePlanned(t *testing.T) {
	root := workspace(t)
	add := regexp.MustCompile(`Plan: (\d+) to add, \d+ to change, 0 to destroy`)
	changed := regexp.MustCompile(`(?m)^ *# (\S+) will be updated in-place`)
	for _, example := range []string{"seed", "minimal", "complete"} {
		t.Run(example, func(t *testing.T) {
			dir := filepath.Join(root, "infra", "examples", example)
			must(t, dir, "init", "-backend=false", "-input=false", "-no-color")
			must(t, dir, "validate", "-no-color")
			var own []string
			for _, v := range needed[example] {
				if !strings.Contains(v, "_image=") {
					own = append(own, v)
				}
			}
			out := must(t, dir, append([]string{"apply", "-auto-approve", "-input=false", "-no-color"}, vars(own)...)...)
			if strings.Contains(out, "aws_ecs_service") || strings.Contains(out, "aws_ecs_task_definition") || strings.Contains(out, "aws_appautoscaling") {
				t.Errorf("the first phase has what needs an image:\n%s", out)
			}
			if !strings.Contains(out, `aws_ecr_repository.main["app"]`) {
				t.Errorf("the first phase has no repository")
			}
			out = must(t, dir, append([]string{"plan", "-input=false", "-no-color"}, vars(append(slices.Clone(images), needed[example]...))...)...)
			m := add.FindStringSubmatch(out)
			if m == nil {
				t.Fatalf("the second phase destroys:\n%s", out[max(0, len(out)-3000):])
			}
			for _, c := range changed.FindAllStringSubmatch(out, -1) {
				if address := c[1]; !strings.Contains(address, ".aws_cloudwatch_dashboard.main[") {
					t.Errorf("the second phase changes %s", address)
				}
			}
			for _, want := range []string{"aws_ecs_service.app[0]", "aws_ecs_task_definition.app[0]", "aws_ecs_task_definition.load[0]", "aws_appautoscaling_policy.requests[0]"} {
				if !strings.Contains(out, want+" will be created") {
					t.Errorf("the second phase does not make %s", want)
				}
			}
			t.Logf("second phase: %s to add", m[1])
		})
	}
}

// Wiring that is wrong in the source is found in the state: each of these is tried on a copy.
func TestAWrongWireInTheSourceIsSeen(t *testing.T) {
	tofu(t)
	for _, c := range []struct{ name, file, old, new, arrow string }{
		{"the roles of the API are swapped", "service.tf", "execution_role_arn       = aws_iam_role.execution.arn\n  task_role_arn            = aws_iam_role.app.arn", "execution_role_arn       = aws_iam_role.app.arn\n  task_role_arn            = aws_iam_role.execution.arn", "Task role → Tasks"},
		{"the service has the load test's group", "service.tf", "security_groups  = [aws_security_group.ecs.id]", "security_groups  = [aws_security_group.load.id]", "Tasks — their security group"},
		{"tasks are in the public subnets", "service.tf", "subnets          = values(local.private_subnets)", "subnets          = values(local.public_subnets)", "Service in the private subnets"},
		{"the private table is on no subnet", "network.tf", "route_table_id = aws_route_table.private[0].id\n}\n\n# --- load_path", "route_table_id = aws_route_table.public[0].id\n}\n\n# --- load_path", "Private subnets — Private route table"},
		{"the load test logs elsewhere", "loadtask.tf", `options   = merge(local.log_options, { "awslogs-stream-prefix" = "loadgen" })`, `options   = merge(local.log_options, { "awslogs-stream-prefix" = "loadgen", "awslogs-group" = aws_cloudwatch_log_group.watch.name })`, "Load test → Log group"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := workspace(t)
			path := filepath.Join(root, "infra", c.file)
			source := text(t, path)
			if strings.Count(source, c.old) != 1 {
				t.Fatalf("%s has %q %d times", c.file, c.old, strings.Count(source, c.old))
			}
			if err := os.WriteFile(path, []byte(strings.Replace(source, c.old, c.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			s, out, err := applyIn(t, root, "seed")
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, e := range variants[0].edges() {
				if e.name == c.arrow && len(s.broken(e)) == 0 {
					t.Errorf("%s holds", e.name)
				}
			}
		})
	}
}

func TestTheDocumentsSayWhatTheExamplesCost(t *testing.T) {
	readme := text(t, "README.md")
	for _, v := range variants {
		summary, _ := applyExample(t, v.example).outputs["monthly_cost_summary"].(string)
		cost, _, ok := strings.Cut(summary, " a month at rest")
		if !ok {
			t.Fatalf("%s: %q", v.example, summary)
		}
		if row := "| `examples/" + v.example + "` | " + cost + " |"; !strings.Contains(readme, row) {
			t.Errorf("README.md has no row %s", row)
		}
		if !strings.Contains(text(t, filepath.Join("examples", v.example, "main.tf")), "About "+cost+" a month") {
			t.Errorf("examples/%s/main.tf does not say %s", v.example, cost)
		}
	}
}
