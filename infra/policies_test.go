package infra

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// anywhere is every action that a policy may allow on the resource "*", with the reason.
var anywhere = map[string]string{
	"ecr:GetAuthorizationToken":                          "a login is the registry's; the API knows no resource",
	"cloudwatch:PutMetricData":                           "no resource in the API; held to the namespace LoadGen by a condition",
	"cloudwatch:GetMetricData":                           "reads; no resource in the API",
	"cloudwatch:ListAlarmMuteRules":                      "reads; no resource in the API",
	"application-autoscaling:DescribeScalableTargets":    "reads; no resource in the API",
	"application-autoscaling:DescribeScalingActivities":  "reads; no resource in the API",
	"application-autoscaling:DescribeScalingPolicies":    "reads; no resource in the API",
	"elasticloadbalancing:DescribeTargetGroupAttributes": "reads; no resource in the API",
	"elasticloadbalancing:DescribeTargetHealth":          "reads; no resource in the API",
	"ecs:DescribeTaskDefinition":                         "reads; no resource in the API",
	"ec2:DescribeSubnets":                                "reads; no resource in the API",
	"servicequotas:GetServiceQuota":                      "reads; no resource in the API",
	"ecs:ListTasks":                                      "no resource for Fargate tasks; held to the cluster by a condition",
	"xray:PutTraceSegments":                              "no resource in the API",
	"states:ValidateStateMachineDefinition":              "the provider asks while it plans; no resource in the API",
	"logs:CreateLogDelivery":                             "how FIS sets up its log; no resource in the API",
	"logs:DescribeLogGroups":                             "how FIS sets up its log; reads",
	"logs:DescribeResourcePolicies":                      "how FIS sets up its log; reads",
	"logs:PutResourcePolicy":                             "how FIS sets up its log; no resource in the API",
	"kms:*":                                              "in a key's own policy * is that key; the account must be able to manage it",
	"kms:Decrypt":                                        "in a key's own policy * is that key",
	"kms:DescribeKey":                                    "in a key's own policy * is that key",
	"kms:Encrypt":                                        "in a key's own policy * is that key",
	"kms:GenerateDataKey*":                               "in a key's own policy * is that key",
	"kms:ReEncrypt*":                                     "in a key's own policy * is that key",
}

type words []string // a string, or a list of them

func (w *words) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*w = words{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(w))
}

type statement struct {
	Sid, Effect      string
	Action, Resource words
	Condition        map[string]map[string]any
}

type policy struct {
	Version   string
	Statement []statement
}

// templates are the policies, each placeholder filled with its own name.
func templates(t *testing.T) map[string]string {
	t.Helper()
	paths, _ := filepath.Glob("policies/*.json.tftpl") // the pattern is well formed
	if len(paths) < 10 {
		t.Fatalf("found %v", paths)
	}
	all := map[string]string{}
	for _, path := range paths {
		all[filepath.Base(path)] = regexp.MustCompile(`\$\{(\w+)\}`).ReplaceAllString(text(t, path), "$1")
	}
	return all
}

func TestPoliciesAreJSONWithPlainPlaceholders(t *testing.T) {
	for name, filled := range templates(t) {
		if strings.ContainsAny(filled, "$%") {
			t.Errorf("%s: want ${name} alone; loadgen fills it without a template language", name)
		}
		var p policy
		if err := json.Unmarshal([]byte(filled), &p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if p.Version != "2012-10-17" || len(p.Statement) == 0 {
			t.Errorf("%s: want the version 2012-10-17 and a statement", name)
		}
		for _, s := range p.Statement {
			if !regexp.MustCompile(`^[A-Za-z0-9]+$`).MatchString(s.Sid) {
				t.Errorf("%s: Sid %q: want letters and digits", name, s.Sid)
			}
		}
	}
}

// unlisted are the actions that a policy allows on every resource without being on the list.
func unlisted(p policy) (found []string) {
	for _, s := range p.Statement {
		if s.Effect != "Allow" || !slices.Contains(s.Resource, "*") {
			continue
		}
		for _, action := range s.Action {
			if anywhere[action] == "" {
				found = append(found, action)
			}
		}
	}
	return found
}

func TestNoActionIsAllowedOnEveryResourceButTheListedOnes(t *testing.T) {
	used := map[string]bool{}
	for name, filled := range templates(t) {
		var p policy
		if err := json.Unmarshal([]byte(filled), &p); err != nil {
			t.Fatal(err)
		}
		for _, action := range unlisted(p) {
			t.Errorf("%s allows %s on *", name, action)
		}
		for _, s := range p.Statement {
			if slices.Contains(s.Resource, "*") {
				for _, a := range s.Action {
					used[a] = true
				}
			}
		}
		if strings.HasPrefix(name, "key.") {
			continue
		}
		for _, s := range p.Statement {
			if s.Effect == "Allow" && slices.Contains(s.Action, "*") {
				t.Errorf("%s allows everything", name)
			}
		}
	}
	for action := range maps.Keys(anywhere) {
		if !used[action] {
			t.Errorf("the list allows %s, which no policy has on *", action)
		}
	}
	if got := unlisted(policy{Statement: []statement{{Effect: "Allow", Action: words{"s3:PutObject"}, Resource: words{"*"}}}}); len(got) != 1 {
		t.Errorf("a wide statement passes: %v", got)
	}
}

func TestMetricsArePublishedIntoOurNamespaceAlone(t *testing.T) {
	var p policy
	if err := json.Unmarshal([]byte(templates(t)["load-metrics.json.tftpl"]), &p); err != nil {
		t.Fatal(err)
	}
	if got := p.Statement[0].Condition["StringEquals"]["cloudwatch:namespace"]; got != "LoadGen" {
		t.Errorf("condition on the namespace: %v, want LoadGen", got)
	}
}
