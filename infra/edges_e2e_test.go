//go:build e2e

package infra

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// An edge is an arrow, or a line, of the seed's drawing, as the hops that carry it. It holds when each does.
type edge struct {
	name string
	hops []hop
}

// A hop is one reference: at path, the resource from holds the value that the resource to has as its attribute attr, or
// the literal value. With only, it holds nothing else there.
type hop struct {
	from, path string
	to, attr   string
	value      any
	only       bool
	within     bool // the value is part of a longer text
}

func ref(from, path, to, attr string) hop  { return hop{from: from, path: path, to: to, attr: attr} }
func only(from, path, to, attr string) hop { h := ref(from, path, to, attr); h.only = true; return h }
func within(from, path, to, attr string) hop {
	h := ref(from, path, to, attr)
	h.within = true
	return h
}
func literal(from, path string, value any) hop {
	return hop{from: from, path: path, value: value, only: true}
}

const (
	alb      = "aws_lb.main[0]"
	target   = "aws_lb_target_group.app"
	http     = "aws_lb_listener.http[0]"
	service  = "aws_ecs_service.app[0]"
	task     = "aws_ecs_task_definition.app[0]"
	load     = "aws_ecs_task_definition.load[0]"
	cluster  = "aws_ecs_cluster.main[0]"
	vpc      = "aws_vpc.main[0]"
	igw      = "aws_internet_gateway.main[0]"
	public   = "aws_route_table.public[0]"
	private  = "aws_route_table.private[0]"
	group    = "aws_cloudwatch_log_group.app"
	scaling  = "aws_appautoscaling_target.service[0]"
	execRole = "aws_iam_role.execution"
	sgALB    = "aws_security_group.alb[0]"
	sgECS    = "aws_security_group.ecs"
	sgLoad   = "aws_security_group.load"
	sgEP     = "aws_security_group.endpoints[0]"
	s3       = "aws_vpc_endpoint.s3[0]"
	ddb      = "aws_vpc_endpoint.dynamodb[0]"
	first    = "container_definitions/@json/0/"
)

var zones = []string{"us-east-1a", "us-east-1b"}

func each(kind, path, to, attr string) (hops []hop) {
	for _, z := range zones {
		hops = append(hops, ref(fmt.Sprintf("%s[%q]", kind, z), path, to, attr))
	}
	return hops
}

func toEach(from, path, kind string, in ...string) (hops []hop) {
	if in == nil {
		in = zones
	}
	for _, z := range in {
		hops = append(hops, ref(from, path, fmt.Sprintf("%s[%q]", kind, z), "id"))
	}
	return hops
}

// rule is a security group's rule between two groups, or to a range or a prefix list.
func rule(address, of string, port int, h ...hop) []hop {
	return append([]hop{
		only(address, "security_group_id", of, "id"),
		literal(address, "from_port", float64(port)),
		literal(address, "to_port", float64(port)),
		literal(address, "ip_protocol", "tcp"),
	}, h...)
}

// endpointPath is how tasks of a group reach an interface endpoint: out of their group, into the endpoint's, which stands
// in the subnets, under a private name.
func (v variant) endpointPath(name, from, rulePrefix, ingress string) []hop {
	ep := fmt.Sprintf("aws_vpc_endpoint.interface[%q]", name)
	hops := []hop{
		literal(ep, "service_name", "com.amazonaws.us-east-1."+name),
		literal(ep, "vpc_endpoint_type", "Interface"),
		literal(ep, "private_dns_enabled", true),
		only(ep, "vpc_id", vpc, "id"),
		only(ep, "security_group_ids/*", sgEP, "id"),
	}
	hops = append(hops, toEach(ep, "subnet_ids/*", "aws_subnet."+v.endpointSubnets, v.endpointZones...)...)
	out := "aws_vpc_security_group_egress_rule." + rulePrefix + "_endpoints"
	hops = append(hops, rule(out, from, 443, only(out, "referenced_security_group_id", sgEP, "id"))...)
	in := fmt.Sprintf("aws_vpc_security_group_ingress_rule.endpoints[%q]", ingress)
	return append(hops, rule(in, sgEP, 443, only(in, "referenced_security_group_id", from, "id"))...)
}

func (v variant) pull(def, repository string) []hop {
	repo := fmt.Sprintf("aws_ecr_repository.main[%q]", repository)
	policy := "aws_iam_role_policy.execution"
	return []hop{
		only(def, "execution_role_arn", execRole, "arn"),
		only(policy, "role", execRole, "name"),
		ref(policy, "policy/@json/Statement/1/Resource/*", repo, "arn"),
		literal(repo, "name", v.prefix+"-"+repository),
	}
}

func logs(def, prefix string) []hop {
	return []hop{
		only(def, first+"logConfiguration/options/awslogs-group", group, "name"),
		literal(def, first+"logConfiguration/options/awslogs-stream-prefix", prefix),
		only(def, "execution_role_arn", execRole, "arn"),
		only("aws_iam_role_policy.execution", "role", execRole, "name"),
		within("aws_iam_role_policy.execution", "policy/@json/Statement/2/Resource", group, "arn"),
	}
}

func policyOf(name string) []hop {
	p := "aws_appautoscaling_policy." + name + "[0]"
	return []hop{
		only(p, "resource_id", scaling, "resource_id"),
		only(p, "scalable_dimension", scaling, "scalable_dimension"),
		only(p, "service_namespace", scaling, "service_namespace"),
		literal(p, "policy_type", "TargetTrackingScaling"),
		literal(p, "target_tracking_scaling_policy_configuration/0/target_value", 50.0),
	}
}

func join(all ...[]hop) []hop { return slices.Concat(all...) }

// variant is what an example makes of the drawing.
type variant struct {
	example, prefix string
	fewest          float64
	// endpointZones are where the interface endpoints stand, in the subnets of that kind.
	endpointZones   []string
	endpointSubnets string
	metrics         bool
	// shifted: HTTPS, through listener rules to two target groups.
	shifted bool
	// loadZones are where a load task may be, in the subnets of that kind.
	loadZones   []string
	loadSubnets string
}

var variants = []variant{
	{"seed", "scalableappbackend-dev", 2, zones, "private", true, false, zones, "public"},
	{"minimal", "scalableappbackend-min", 1, zones[:1], "private", false, false, zones, "public"},
	// A zone may be lost there: endpoints are out of its way, the load is in the other one, behind the gateway.
	{"complete", "scalableappbackend-full", 2, zones, "public", true, true, zones[:1], "private"},
}

// edges are the arrows and lines of the drawing, in its order.
func (v variant) edges() []edge {
	edges := []edge{
		{"Users → ALB :80", join(
			rule(`aws_vpc_security_group_ingress_rule.alb_clients["80"]`, sgALB, 80, literal(`aws_vpc_security_group_ingress_rule.alb_clients["80"]`, "cidr_ipv4", "0.0.0.0/0")),
			[]hop{literal(alb, "internal", false), literal(alb, "name", v.prefix+"-alb")},
			toEach(alb, "subnets/*", "aws_subnet.public"),
		)},
		{"ALB → Listener :80", []hop{only(http, "load_balancer_arn", alb, "arn"), literal(http, "port", 80.0), literal(http, "protocol", "HTTP")}},
		{"Listener → Target group", join(v.listenerToTarget(), []hop{
			literal(target, "name", v.prefix+"-tg"), literal(target, "port", 80.0), literal(target, "target_type", "ip"),
			literal(target, "health_check/0/path", "/health"), only(target, "vpc_id", vpc, "id"),
		})},
		{"Target group → App tasks", join(
			[]hop{
				only(service, "load_balancer/*/target_group_arn", target, "arn"),
				literal(service, "load_balancer/*/container_name", "app"), literal(task, first+"name", "app"),
				literal(service, "load_balancer/*/container_port", 80.0), literal(task, first+"portMappings/0/containerPort", 80.0),
				only(service, "task_definition", task, "arn"),
			},
			rule("aws_vpc_security_group_egress_rule.alb_ecs", sgALB, 80, only("aws_vpc_security_group_egress_rule.alb_ecs", "referenced_security_group_id", sgECS, "id")),
			rule("aws_vpc_security_group_ingress_rule.ecs_alb", sgECS, 80, only("aws_vpc_security_group_ingress_rule.ecs_alb", "referenced_security_group_id", sgALB, "id")),
		)},
		{"Load test → ALB", v.loadToALB()},
		{"Cluster — Service 2 to 6", []hop{
			only(service, "cluster", cluster, "arn"), literal(cluster, "name", v.prefix+"-cluster"),
			literal(service, "name", v.prefix+"-service"), literal(service, "desired_count", v.fewest),
			literal(scaling, "min_capacity", v.fewest), literal(scaling, "max_capacity", 6.0),
		}},
		{"VPC — Internet gateway — Public route table", []hop{
			literal(vpc, "cidr_block", "10.0.0.0/16"), only(igw, "vpc_id", vpc, "id"), only(public, "vpc_id", vpc, "id"),
			only("aws_route.public_internet[0]", "route_table_id", public, "id"), only("aws_route.public_internet[0]", "gateway_id", igw, "id"),
			literal("aws_route.public_internet[0]", "destination_cidr_block", "0.0.0.0/0"),
		}},
		{"Public subnets — Public route table", join(
			each("aws_route_table_association.public", "route_table_id", public, "id"),
			zoneHops("public"),
			each("aws_subnet.public", "vpc_id", vpc, "id"),
		)},
		{"Private subnets — Private route table", join(
			[]hop{only(private, "vpc_id", vpc, "id")},
			each("aws_route_table_association.private", "route_table_id", private, "id"),
			zoneHops("private"),
			each("aws_subnet.private", "vpc_id", vpc, "id"),
		)},
		{"Service in the private subnets", join(
			toEach(service, "network_configuration/0/subnets/*", "aws_subnet.private"),
			[]hop{literal(service, "network_configuration/0/assign_public_ip", false)},
		)},
		{"ALB — its security group", []hop{only(alb, "security_groups/*", sgALB, "id"), only(sgALB, "vpc_id", vpc, "id")}},
		{"Tasks — their security group", []hop{only(service, "network_configuration/0/security_groups/*", sgECS, "id"), only(sgECS, "vpc_id", vpc, "id")}},
		{"Load test — its security group", []hop{only("output", "load_security_groups/*", sgLoad, "id"), only(sgLoad, "vpc_id", vpc, "id")}},
		{"ECR app → Tasks", v.pull(task, "app")},
		{"ECR loadgen → Load test", v.pull(load, "loadgen")},
		{"Tasks → ecr.api", v.endpointPath("ecr.api", sgECS, "ecs", "ecs")},
		{"Tasks → ecr.dkr", v.endpointPath("ecr.dkr", sgECS, "ecs", "ecs")},
		{"Tasks → logs", v.endpointPath("logs", sgECS, "ecs", "ecs")},
		{"Tasks → s3", join(
			[]hop{ref(s3, "route_table_ids/*", private, "id"), literal(s3, "service_name", "com.amazonaws.us-east-1.s3"), literal(s3, "vpc_endpoint_type", "Gateway"), only(s3, "vpc_id", vpc, "id")},
			rule("aws_vpc_security_group_egress_rule.ecs_s3", sgECS, 443, only("aws_vpc_security_group_egress_rule.ecs_s3", "prefix_list_id", s3, "prefix_list_id")),
		)},
		{"Tasks → dynamodb", []hop{
			only(ddb, "route_table_ids/*", private, "id"), literal(ddb, "service_name", "com.amazonaws.us-east-1.dynamodb"), literal(ddb, "vpc_endpoint_type", "Gateway"), only(ddb, "vpc_id", vpc, "id"),
		}},
		{"Load test → ecr.api", v.endpointPath("ecr.api", sgLoad, "load", "load")},
		{"Load test → ecr.dkr", v.endpointPath("ecr.dkr", sgLoad, "load", "load")},
		{"Load test → logs", v.endpointPath("logs", sgLoad, "load", "load")},
		{"Load test → s3 (added: layers and results)", join(
			[]hop{ref(s3, "route_table_ids/*", public, "id"), ref(s3, "policy/@json/Statement/*/Resource/*", "aws_s3_bucket.results[0]", "arn")},
			rule("aws_vpc_security_group_egress_rule.load_s3", sgLoad, 443, only("aws_vpc_security_group_egress_rule.load_s3", "prefix_list_id", s3, "prefix_list_id")),
			[]hop{only(`aws_iam_role_policy.load["results"]`, "role", "aws_iam_role.load", "name"), only(`aws_iam_role_policy.load["results"]`, "policy/@json/Statement/0/Resource", "aws_s3_bucket.results[0]", "arn")},
		)},
		{"Tasks → Log group", join(logs(task, "app"), []hop{literal(group, "name", "/ecs/"+v.prefix+"-app")})},
		{"Load test → Log group", logs(load, "loadgen")},
		{"ALB → Metrics → requests policy", join(policyOf("requests"), v.requestMetric())},
		{"Tasks → Metrics → CPU policy", join(policyOf("cpu"), []hop{
			literal("aws_appautoscaling_policy.cpu[0]", "target_tracking_scaling_policy_configuration/0/predefined_metric_specification/0/predefined_metric_type", "ECSServiceAverageCPUUtilization"),
		})},
		{"Application Auto Scaling → Service", []hop{
			within(scaling, "resource_id", cluster, "name"), within(scaling, "resource_id", service, "name"),
			literal(scaling, "scalable_dimension", "ecs:service:DesiredCount"), literal(scaling, "service_namespace", "ecs"),
		}},
		{"Execution role → Tasks", []hop{only(task, "execution_role_arn", execRole, "arn"), within(execRole, "assume_role_policy", "", "ecs-tasks.amazonaws.com")}},
		{"Execution role → Load test", []hop{only(load, "execution_role_arn", execRole, "arn")}},
		{"Task role → Tasks", []hop{only(task, "task_role_arn", "aws_iam_role.app", "arn"), within("aws_iam_role.app", "assume_role_policy", "", "ecs-tasks.amazonaws.com")}},
		{"Task role of the load test (added)", []hop{only(load, "task_role_arn", "aws_iam_role.load", "arn")}},
	}
	if v.metrics {
		edges = append(edges, edge{"Load test → monitoring (added)", join(
			v.endpointPath("monitoring", sgLoad, "load", "load"),
			[]hop{only(`aws_iam_role_policy.load["metrics"]`, "role", "aws_iam_role.load", "name")},
		)})
	}
	return edges
}

func (v variant) listenerToTarget() []hop {
	if !v.shifted {
		return []hop{only(http, "default_action/*/target_group_arn", target, "arn"), literal(http, "default_action/*/type", "forward")}
	}
	const https, production, alternate = "aws_lb_listener.https[0]", "aws_lb_listener_rule.production[0]", "aws_lb_target_group.alternate[0]"
	advanced := "load_balancer/*/advanced_configuration/0/"
	return []hop{
		literal(http, "default_action/*/type", "redirect"), only(https, "load_balancer_arn", alb, "arn"), literal(https, "port", 443.0),
		only(production, "listener_arn", https, "arn"), only("aws_lb_listener_rule.test[0]", "listener_arn", https, "arn"),
		ref(production, "action/0/forward/0/target_group/*/arn", target, "arn"), ref(production, "action/0/forward/0/target_group/*/arn", alternate, "arn"),
		only(service, advanced+"alternate_target_group_arn", alternate, "arn"), only(service, advanced+"production_listener_rule", production, "arn"),
		only(service, advanced+"test_listener_rule", "aws_lb_listener_rule.test[0]", "arn"), only(service, advanced+"role_arn", "aws_iam_role.deployment[0]", "arn"),
	}
}

func (h hop) relaxed() hop { h.only = false; return h }

func (v variant) loadToALB() []hop {
	port, host := 80, within(load, first+"environment/*/value", alb, "dns_name")
	if v.shifted {
		port, host = 443, literal(load, first+"environment/*/value", "https://api.example.com").relaxed()
	}
	out := fmt.Sprintf("aws_vpc_security_group_egress_rule.load_alb_public[%q]", fmt.Sprint(port))
	hops := append(rule(out, sgLoad, port, literal(out, "cidr_ipv4", "0.0.0.0/0")), host,
		literal("output", "load_assign_public_ip", v.loadSubnets == "public"))
	hops = append(hops, toEach("output", "load_subnets/*", "aws_subnet."+v.loadSubnets, v.loadZones...)...)
	if v.loadSubnets == "private" {
		hops = append(hops, only("aws_route.private_nat[0]", "route_table_id", private, "id"), only("aws_route.private_nat[0]", "nat_gateway_id", "aws_nat_gateway.main[0]", "id"),
			ref("aws_nat_gateway.main[0]", "subnet_id", `aws_subnet.public["us-east-1a"]`, "id"))
	}
	return hops
}

func (v variant) requestMetric() []hop {
	const p, configuration = "aws_appautoscaling_policy.requests[0]", "target_tracking_scaling_policy_configuration/0/"
	if v.shifted {
		dimensions := configuration + "customized_metric_specification/0/metrics/*/metric_stat/0/metric/0/dimensions/*/value"
		return []hop{ref(p, dimensions, alb, "arn_suffix"), ref(p, dimensions, target, "arn_suffix"), ref(p, dimensions, "aws_lb_target_group.alternate[0]", "arn_suffix")}
	}
	label := configuration + "predefined_metric_specification/0/resource_label"
	return []hop{
		within(p, label, alb, "arn_suffix"), within(p, label, target, "arn_suffix"),
		literal(p, configuration+"predefined_metric_specification/0/predefined_metric_type", "ALBRequestCountPerTarget"),
	}
}

func zoneHops(kind string) (hops []hop) {
	for _, z := range zones {
		subnet := fmt.Sprintf("aws_subnet.%s[%q]", kind, z)
		hops = append(hops, only(fmt.Sprintf("aws_route_table_association.%s[%q]", kind, z), "subnet_id", subnet, "id"), literal(subnet, "availability_zone", z))
	}
	return hops
}

func (s state) attributes(address string) any {
	if address == "output" {
		return s.outputs
	}
	if a, ok := s.resources[address]; ok {
		return a
	}
	return nil
}

// want is the value that a hop must find; false when the resource that has it is not there.
func (s state) want(h hop) (any, bool) {
	switch {
	case h.value != nil:
		return h.value, true
	case h.to == "":
		return h.attr, true
	}
	a, ok := s.resources[h.to]
	if !ok || a[h.attr] == nil || a[h.attr] == "" {
		return nil, false
	}
	return a[h.attr], true
}

// check says why a hop does not hold, or nothing.
func (s state) check(h hop) string {
	from := s.attributes(h.from)
	if from == nil {
		return h.from + " is not there"
	}
	want, ok := s.want(h)
	if !ok {
		return fmt.Sprintf("%s has no %s", h.to, h.attr)
	}
	got := find(from, h.path)
	holds := slices.ContainsFunc(got, func(v any) bool { return equal(v, want) || h.within && contains(v, want) })
	if !holds || h.only && len(got) != 1 && !allEqual(got, want) {
		return fmt.Sprintf("%s: %s is %v, want %v (%s %s)", h.from, h.path, got, want, h.to, h.attr)
	}
	return ""
}

func equal(a, b any) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

func contains(v, part any) bool { return strings.Contains(fmt.Sprint(v), fmt.Sprint(part)) }

func allEqual(values []any, want any) bool {
	for _, v := range values {
		if !equal(v, want) {
			return false
		}
	}
	return true
}

func (s state) broken(e edge) (reasons []string) {
	for _, h := range e.hops {
		if reason := s.check(h); reason != "" {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}

func TestEveryArrowOfTheDrawingIsCarriedFromIDToID(t *testing.T) {
	for _, v := range variants {
		t.Run(v.example, func(t *testing.T) {
			s := applyExample(t, v.example)
			for _, e := range v.edges() {
				for _, reason := range s.broken(e) {
					t.Errorf("%s: %s", e.name, reason)
				}
			}
		})
	}
}

// Distinct ids and ARNs are what makes the test above mean something: where all roles have one ARN, a swap passes.
func TestTheStateTellsResourcesApart(t *testing.T) {
	s := applyExample(t, "seed")
	seen := map[string]string{}
	for _, address := range s.addresses() {
		if strings.HasPrefix(address, "aws_cloudwatch_event_target.") {
			continue // its arn is that of what it sends to
		}
		v, _ := s.resources[address]["arn"].(string)
		if other, ok := seen[v]; ok && v != "" {
			t.Errorf("%s and %s have the ARN %s", address, other, v)
		}
		seen[v] = address
	}
	if len(seen) < 40 {
		t.Errorf("found %d ARNs", len(seen))
	}
}

// Each hop of each arrow is cut, and led to another resource of the same type: the arrow's test must then fail.
func TestACutOrSwappedArrowIsSeen(t *testing.T) {
	for _, v := range variants {
		t.Run(v.example, func(t *testing.T) {
			s := applyExample(t, v.example)
			cuts, swaps := 0, 0
			for _, e := range v.edges() {
				for _, h := range e.hops {
					want, ok := s.want(h)
					if !ok {
						continue // the test above says so
					}
					for _, wrong := range append([]any{nil}, s.others(h, want)...) {
						m := s.with(t, h, want, wrong)
						if len(m.broken(e)) == 0 {
							t.Errorf("%s: %s of %s may be %v instead of %v", e.name, h.path, h.from, wrong, want)
						}
						if wrong == nil {
							cuts++
						} else {
							swaps++
						}
					}
				}
			}
			t.Logf("%d arrows: %d cuts and %d swaps seen", len(v.edges()), cuts, swaps)
			if cuts < 150 || swaps < 150 {
				t.Errorf("%d cuts and %d swaps; want more than 150 of each", cuts, swaps)
			}
		})
	}
}

// others are wrong values for a hop: what other resources of the same type have there, else something else.
func (s state) others(h hop, want any) (values []any) {
	switch v := want.(type) {
	case bool:
		return []any{!v}
	case float64:
		return []any{v + 1}
	}
	kind, _, _ := strings.Cut(h.to, ".")
	for _, address := range s.addresses() {
		if strings.HasPrefix(address, kind+".") && h.value == nil && kind != "" {
			if v := s.resources[address][h.attr]; v != nil && v != "" && !equal(v, want) && !contains(v, want) && !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
	}
	return append(values, "elsewhere")
}

// with is a copy of the state in which a hop finds another value, or none.
func (s state) with(t *testing.T, h hop, want, wrong any) state {
	t.Helper()
	replace := func(old any) any {
		switch {
		case equal(old, want):
			return wrong
		case h.within && contains(old, want) && wrong == nil:
			return ""
		case h.within && contains(old, want):
			return strings.ReplaceAll(fmt.Sprint(old), fmt.Sprint(want), fmt.Sprint(wrong))
		}
		return old
	}
	m := state{resources: maps.Clone(s.resources), outputs: s.outputs}
	changed, err := rewrite(s.attributes(h.from), strings.Split(h.path, "/"), replace)
	if err != nil {
		t.Fatal(err)
	}
	if h.from == "output" {
		m.outputs = changed.(map[string]any)
	} else {
		m.resources[h.from] = changed.(map[string]any)
	}
	return m
}

// rewrite copies v, with what a path of find reaches replaced.
func rewrite(v any, path []string, replace func(any) any) (any, error) {
	if len(path) == 0 {
		return replace(v), nil
	}
	step, rest := path[0], path[1:]
	if step == "@json" {
		var parsed any
		if err := json.Unmarshal([]byte(v.(string)), &parsed); err != nil {
			return nil, err
		}
		changed, err := rewrite(parsed, rest, replace)
		if err != nil {
			return nil, err
		}
		b, err := json.Marshal(changed)
		return string(b), err
	}
	var err error
	switch v := v.(type) {
	case map[string]any:
		c := maps.Clone(v)
		for k := range c {
			if (step == "*" || step == k) && c[k] != nil {
				if c[k], err = rewrite(c[k], rest, replace); err != nil {
					return nil, err
				}
			}
		}
		return c, nil
	case []any:
		c := slices.Clone(v)
		for i := range c {
			if step == "*" || step == fmt.Sprint(i) {
				if c[i], err = rewrite(c[i], rest, replace); err != nil {
					return nil, err
				}
			}
		}
		return c, nil
	}
	return v, nil
}
