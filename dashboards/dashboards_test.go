// Package dashboards has no code: its tests hold the CloudWatch dashboards to what there is to show.
package dashboards

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// published is what there is in CloudWatch: each metric of ours (the names that loadgen publishes, with their dimension
// sets) and of AWS's that a dashboard may name. Dimensions stand in the order of the name.
var published = map[string][]string{
	"LoadGen": {
		"Latency Service", "Latency Service Endpoint", "RawLatency Service", "RawLatency Service Endpoint",
		"LatencyP50 Service", "LatencyP50 Service Endpoint", "LatencyP99 Service", "LatencyP99 Service Endpoint",
		"Requests Service", "Requests Service Endpoint", "Errors Service", "Errors Service Endpoint",
		"Dropped Service", "OfferedRate Service", "Users Service", "Verdict Service",
	},
	"AWS/ECS": {"CPUUtilization ClusterName ServiceName", "MemoryUtilization ClusterName ServiceName"},
	"AWS/ApplicationELB": {
		"ActiveConnectionCount LoadBalancer", "NewConnectionCount LoadBalancer", "RejectedConnectionCount LoadBalancer",
		"TargetConnectionErrorCount LoadBalancer", "ConsumedLCUs LoadBalancer", "RequestCount LoadBalancer",
		"TargetResponseTime LoadBalancer", "HTTPCode_ELB_5XX_Count LoadBalancer", "HTTPCode_Target_2XX_Count LoadBalancer",
		"HTTPCode_Target_4XX_Count LoadBalancer", "HTTPCode_Target_5XX_Count LoadBalancer",
		"RequestCountPerTarget TargetGroup LoadBalancer", "HealthyHostCount TargetGroup LoadBalancer",
		"UnHealthyHostCount TargetGroup LoadBalancer",
	},
}

// placeholders are what infra fills in; the value stands for one.
var placeholders = map[string]string{
	"region": "us-east-1", "cluster": "c", "service": "s", "metrics_service": "s", "load_balancer": "app/a/1",
	"target_group": "targetgroup/t/1", "log_group": "/ecs/s", "watch_log_group": "/loadgen/s",
	"min_capacity": "2", "max_capacity": "6", "requests_target": "50", "cpu_target": "50",
	"error_count": "50", "errors_alarm_arn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a",
}

type widget struct {
	Type                string
	X, Y, Width, Height int
	Properties          struct {
		Title, Region, Markdown, Query string
		Metrics                        [][]any
		Alarms                         []string
	}
}

func read(t *testing.T, path string) (widgets []widget) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// ${name} and nothing else: whoever fills it needs no template language.
	filled := regexp.MustCompile(`\$\{([^}]*)\}`).ReplaceAllStringFunc(string(text), func(p string) string {
		value, ok := placeholders[p[2:len(p)-1]]
		if !ok {
			t.Errorf("%s: %s is no placeholder that infra fills", path, p)
		}
		return value
	})
	if i := strings.Index(filled, "%{"); i >= 0 {
		t.Errorf("%s: %q is a directive; want plain ${name}", path, filled[i:i+10])
	}
	var body struct{ Widgets []widget }
	if err := json.Unmarshal([]byte(filled), &body); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if len(body.Widgets) == 0 || len(body.Widgets) > 500 {
		t.Fatalf("%s: %d widgets, want 1 to 500", path, len(body.Widgets))
	}
	return body.Widgets
}

func each(t *testing.T, check func(t *testing.T, path string, widgets []widget)) {
	paths, err := filepath.Glob("*.json")
	if err != nil || len(paths) != 2 {
		t.Fatalf("found %v, want experiment.json and api.json (%v)", paths, err)
	}
	for _, path := range paths {
		t.Run(path, func(t *testing.T) { check(t, path, read(t, path)) })
	}
}

func TestEachMetricIsOneThatIsPublishedWithTheseDimensions(t *testing.T) {
	each(t, func(t *testing.T, _ string, widgets []widget) {
		n := 0
		for _, w := range widgets {
			for _, row := range w.Properties.Metrics {
				if _, ok := row[0].(string); !ok {
					continue // an expression
				}
				n++
				if problem := unpublished(row); problem != "" {
					t.Errorf("%s: %s", w.Properties.Title, problem)
				}
			}
		}
		if n == 0 {
			t.Error("no metric found")
		}
	})
}

// unpublished says what is wrong with a row [namespace, name, dimension, value …, {options}], or nothing.
func unpublished(row []any) string {
	var words []string
	for _, v := range row {
		if s, ok := v.(string); ok {
			words = append(words, s)
		}
	}
	if len(words) < 4 || len(words)%2 != 0 {
		return fmt.Sprintf("%v: want namespace, name, and pairs of dimension and value", row)
	}
	var name strings.Builder
	name.WriteString(words[1])
	for i := 2; i < len(words); i += 2 {
		name.WriteString(" " + words[i])
	}
	if !slices.Contains(published[words[0]], name.String()) {
		return fmt.Sprintf("%s %s is published by nobody", words[0], name.String())
	}
	return ""
}

func TestAnUnpublishedMetricIsSeen(t *testing.T) {
	for reason, row := range map[string][]any{
		"a name of nobody's":         {"LoadGen", "AchievedRate", "Service", "s"},
		"a dimension too many":       {"LoadGen", "Verdict", "Service", "s", "Endpoint", "e"},
		"dimensions that miss one":   {"AWS/ApplicationELB", "HealthyHostCount", "TargetGroup", "t"},
		"a namespace of nobody's":    {"Loadgen", "Latency", "Service", "s"},
		"a dimension without value":  {"LoadGen", "Latency", "Service"},
		"no dimension at all":        {"LoadGen", "Latency"},
		"Container Insights is off":  {"ECS/ContainerInsights", "RunningTaskCount", "ClusterName", "c", "ServiceName", "s"},
		"dimensions in disorder too": {"AWS/ECS", "CPUUtilization", "ServiceName", "s", "ClusterName", "c"},
	} {
		if unpublished(row) == "" {
			t.Errorf("%s: %v passes", reason, row)
		}
	}
}

func TestExpressionsUseIdentifiersThatTheirWidgetHas(t *testing.T) {
	name := regexp.MustCompile(`\b[a-z][A-Za-z0-9_]*\b`)
	each(t, func(t *testing.T, _ string, widgets []widget) {
		for _, w := range widgets {
			ids := map[string]bool{}
			for _, row := range w.Properties.Metrics {
				if options, ok := row[len(row)-1].(map[string]any); ok {
					if id, ok := options["id"].(string); ok {
						if ids[id] {
							t.Errorf("%s: id %s twice", w.Properties.Title, id)
						}
						ids[id] = true
					}
				}
			}
			for _, row := range w.Properties.Metrics {
				options, ok := row[0].(map[string]any)
				if !ok {
					continue
				}
				expression := options["expression"].(string)
				if strings.HasPrefix(expression, "SEARCH(") {
					continue
				}
				for _, used := range name.FindAllString(expression, -1) {
					if !ids[used] {
						t.Errorf("%s: %s uses %s, which no row has as its id", w.Properties.Title, expression, used)
					}
				}
			}
		}
	})
}

func TestWidgetsLieOnTheGridAndOnNoOther(t *testing.T) {
	each(t, func(t *testing.T, _ string, widgets []widget) {
		taken := map[[2]int]string{}
		for i, w := range widgets {
			name := fmt.Sprintf("widget %d %s", i, w.Properties.Title)
			if w.Width < 1 || w.Height < 1 || w.X < 0 || w.X+w.Width > 24 {
				t.Errorf("%s: want 24 columns", name)
			}
			for x := w.X; x < w.X+w.Width; x++ {
				for y := w.Y; y < w.Y+w.Height; y++ {
					if other, ok := taken[[2]int{x, y}]; ok {
						t.Fatalf("%s lies on %s", name, other)
					}
					taken[[2]int{x, y}] = name
				}
			}
		}
	})
}

func TestEachWidgetHasWhatItsKindNeeds(t *testing.T) {
	each(t, func(t *testing.T, _ string, widgets []widget) {
		for i, w := range widgets {
			p := w.Properties
			ok := map[string]bool{
				"text":   p.Markdown != "",
				"metric": p.Title != "" && p.Region != "" && len(p.Metrics) > 0,
				"log":    p.Title != "" && p.Region != "" && strings.HasPrefix(p.Query, "SOURCE '"),
				"alarm":  p.Title != "" && len(p.Alarms) > 0,
			}[w.Type]
			if !ok {
				t.Errorf("widget %d, a %s, lacks something: %+v", i, w.Type, p)
			}
		}
	})
}

// The experiment is one page: what a reader of the seed asks for stands on it.
func TestTheExperimentShowsLoadSignalsCapacityAnswersAndVerdict(t *testing.T) {
	var shown []string
	for _, w := range read(t, "experiment.json") {
		for _, row := range w.Properties.Metrics {
			if name, ok := row[0].(string); ok {
				shown = append(shown, name+" "+row[1].(string))
			}
		}
	}
	for _, want := range []string{
		"LoadGen OfferedRate", "LoadGen Requests", "LoadGen Latency", "LoadGen RawLatency", "LoadGen Errors", "LoadGen Dropped", "LoadGen Users",
		"LoadGen Verdict", "AWS/ECS CPUUtilization", "AWS/ApplicationELB RequestCountPerTarget", "AWS/ApplicationELB HealthyHostCount",
	} {
		if !slices.Contains(shown, want) {
			t.Errorf("%s is not shown", want)
		}
	}
}
