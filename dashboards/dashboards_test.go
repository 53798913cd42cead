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

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/aws/publish"
)

// ours are the metrics that loadgen publishes, with their dimension sets.
func ours() (all []string) {
	for _, m := range publish.Metrics() {
		all = append(all, m.Name+" "+publish.DimensionService)
		if m.PerEndpoint {
			all = append(all, m.Name+" "+publish.DimensionService+" "+publish.DimensionEndpoint)
		}
	}
	return all
}

// published is what there is in CloudWatch: each metric of ours and of AWS's that a dashboard may name. Dimensions stand in the
// order of the name.
var published = map[string][]string{
	publish.DefaultNamespace: ours(),
	"AWS/ECS":                {"CPUUtilization ClusterName ServiceName", "MemoryUtilization ClusterName ServiceName"},
	"AWS/ApplicationELB": {
		"ActiveConnectionCount LoadBalancer", "NewConnectionCount LoadBalancer", "RejectedConnectionCount LoadBalancer",
		"TargetConnectionErrorCount LoadBalancer", "ConsumedLCUs LoadBalancer", "RequestCount LoadBalancer",
		"TargetResponseTime LoadBalancer", "HTTPCode_ELB_5XX_Count LoadBalancer", "HTTPCode_Target_2XX_Count LoadBalancer",
		"HTTPCode_Target_4XX_Count LoadBalancer", "HTTPCode_Target_5XX_Count LoadBalancer",
		"RequestCountPerTarget TargetGroup LoadBalancer", "HealthyHostCount TargetGroup LoadBalancer",
		"UnHealthyHostCount TargetGroup LoadBalancer",
	},
}

// searched is what is there for some services only, so that only a search may name it: a search for what is not there shows nothing.
var searched = map[string][]string{
	publish.DefaultNamespace: published[publish.DefaultNamespace],
	"ECS/ContainerInsights":  {"DesiredTaskCount ClusterName ServiceName"}, // with Container Insights alone
}

// given is a value for each placeholder.
func given() Values {
	return Values{
		"region": {"us-east-1"}, "cluster": {"c"}, "service": {"s"}, "metrics_service": {"load of s"},
		"load_balancer": {"app/a/50dc6c495c0c9188"}, "target_group": {"targetgroup/t/73e2d6bc24d8a067"},
		"log_group": {"/ecs/s"}, "watch_log_group": {"/loadgen/s"},
		"alarm_arns":   {"arn:aws:cloudwatch:us-east-1:123456789012:alarm:a", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:TargetTracking-service/c/s-AlarmHigh-1"},
		"min_capacity": {"3"}, "max_capacity": {"9"}, "requests_target": {"1000"}, "cpu_target": {"62.5"}, "objective_ms": {"120"}, "resolution": {"60"},
	}
}

func dashboard(t *testing.T, name string, values Values) []widget {
	t.Helper()
	body, _, err := Body(name, values)
	if err != nil {
		t.Fatal(err)
	}
	widgets, problems := structure(body)
	for _, p := range problems {
		t.Errorf("%s: %s", name, p)
	}
	return widgets
}

func each(t *testing.T, check func(t *testing.T, widgets []widget)) {
	paths, err := filepath.Glob("*.json")
	if err != nil || len(paths) != len(Names()) {
		t.Fatalf("found %v, want a file for each of %v (%v)", paths, Names(), err)
	}
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) { check(t, dashboard(t, name, given())) })
	}
}

// ${name} and nothing else, so that whoever fills a file in needs no template language; and each name is one that is known.
func TestTheFilesHaveThePlaceholdersAndNoOtherTemplate(t *testing.T) {
	used := map[string]bool{}
	for _, name := range Names() {
		text, err := os.ReadFile(name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`("?)[^"\n]*?\$\{([^}]*)\}`).FindAllStringSubmatch(string(text), -1) {
			i := slices.IndexFunc(Placeholders(), func(p Placeholder) bool { return p.Name == m[2] })
			if i < 0 {
				t.Errorf("%s: ${%s} is no placeholder", name, m[2])
				continue
			}
			used[m[2]] = true
		}
		if i := strings.Index(string(text), "%{"); i >= 0 {
			t.Errorf("%s: %q is a directive", name, text[i:i+10])
		}
		// What is no text stands outside of quotes, but for what a query is made with.
		for _, p := range Placeholders() {
			bare := regexp.MustCompile(`: \$\{` + p.Name + `\}`).MatchString(string(text))
			if p.Kind == Text && bare {
				t.Errorf("%s: ${%s} is text without quotes", name, p.Name)
			}
		}
	}
	for _, p := range Placeholders() {
		if !used[p.Name] {
			t.Errorf("no dashboard uses %s", p.Name)
		}
	}
}

func TestEachMetricIsOneThatIsPublishedWithTheseDimensions(t *testing.T) {
	each(t, func(t *testing.T, widgets []widget) {
		n := 0
		for _, w := range widgets {
			for _, row := range w.Properties.Metrics {
				problem := ""
				if row.expression == "" {
					problem = unpublished(published, row.namespace, row.name, row.dimensions)
				} else if strings.HasPrefix(row.expression, "SEARCH(") {
					problem = unsearched(row.expression)
				}
				if n++; problem != "" {
					t.Errorf("%s: %s", w.Properties.Title, problem)
				}
			}
		}
		if n == 0 {
			t.Error("no metric found")
		}
	})
}

// unpublished says what is wrong with a metric, or nothing.
func unpublished(all map[string][]string, namespace, name string, dimensions []string) string {
	full := strings.Join(append([]string{name}, dimensions...), " ")
	if !slices.Contains(all[namespace], full) {
		return fmt.Sprintf("%s %s is published by nobody", namespace, full)
	}
	return ""
}

// unsearched says what is wrong with a search expression: SEARCH('{NAMESPACE,DIMENSION,…} MetricName="NAME" DIMENSION="VALUE" …', 'STAT', PERIOD).
func unsearched(expression string) string {
	m := regexp.MustCompile(`^SEARCH\('\{([^,}]+)((?:,[A-Za-z]+)+)\} MetricName="(\w+)"((?: [A-Za-z]+="[^"']+")*)', '([A-Za-z0-9]+)', (\d+)\)$`).FindStringSubmatch(expression)
	if m == nil {
		return expression + " is no search that these tests can read"
	}
	dimensions := strings.Split(m[2][1:], ",")
	for _, d := range regexp.MustCompile(` ([A-Za-z]+)=`).FindAllStringSubmatch(m[4], -1) {
		if !slices.Contains(dimensions, d[1]) {
			return fmt.Sprintf("%s asks for the dimension %s, which is not in the set", expression, d[1])
		}
	}
	if !statistic.MatchString(m[5]) {
		return fmt.Sprintf("%s: %s is no statistic", expression, m[5])
	}
	return unpublished(searched, m[1], m[3], dimensions)
}

func TestAnUnpublishedMetricIsSeen(t *testing.T) {
	for reason, row := range map[string][]string{
		"a name of nobody's":         {"LoadGen", "AchievedRate", "Service"},
		"a dimension too many":       {"LoadGen", "Verdict", "Service", "Endpoint"},
		"dimensions that miss one":   {"AWS/ApplicationELB", "HealthyHostCount", "TargetGroup"},
		"a namespace of nobody's":    {"Loadgen", "Latency", "Service"},
		"no dimension at all":        {"LoadGen", "Latency"},
		"Container Insights is off":  {"ECS/ContainerInsights", "DesiredTaskCount", "ClusterName", "ServiceName"},
		"dimensions in disorder too": {"AWS/ECS", "CPUUtilization", "ServiceName", "ClusterName"},
	} {
		if unpublished(published, row[0], row[1], row[2:]) == "" {
			t.Errorf("%s: %v passes", reason, row)
		}
	}
	for reason, search := range map[string]string{
		"a metric of nobody's":           `SEARCH('{LoadGen,Service} MetricName="Latencies"', 'p99', 60)`,
		"a set that is not published":    `SEARCH('{LoadGen,Service,Run,Endpoint} MetricName="Latency"', 'p99', 60)`,
		"a dimension that is not in it":  `SEARCH('{LoadGen,Service} MetricName="Latency" Endpoint="x"', 'p99', 60)`,
		"a statistic that there is not":  `SEARCH('{LoadGen,Service} MetricName="Latency"', 'percentile99', 60)`,
		"a metric that needs no search":  `SEARCH('{AWS/ECS,ClusterName,ServiceName} MetricName="CPUUtilization"', 'Average', 60)`,
		"quotes that end where they not": `SEARCH('{LoadGen,Service} MetricName="Latency" Service="it's"', 'p99', 60)`,
	} {
		if unsearched(search) == "" {
			t.Errorf("%s: %s passes", reason, search)
		}
	}
}

func TestExpressionsUseIdentifiersThatTheirWidgetHas(t *testing.T) {
	name := regexp.MustCompile(`\b[a-z][A-Za-z0-9_]*\b`)
	each(t, func(t *testing.T, widgets []widget) {
		for _, w := range widgets {
			ids := map[string]bool{}
			for _, row := range w.Properties.Metrics {
				if row.options.ID != "" && ids[row.options.ID] {
					t.Errorf("%s: id %s twice", w.Properties.Title, row.options.ID)
				}
				ids[row.options.ID] = true
			}
			for _, row := range w.Properties.Metrics {
				if row.expression == "" || strings.HasPrefix(row.expression, "SEARCH(") {
					continue
				}
				for _, used := range name.FindAllString(row.expression, -1) {
					if !ids[used] {
						t.Errorf("%s: %s uses %s, which no row has as its id", w.Properties.Title, row.expression, used)
					}
				}
			}
		}
	})
}

func TestWidgetsLieOnTheGridAndOnNoOther(t *testing.T) {
	each(t, func(t *testing.T, widgets []widget) {
		taken := map[[2]int]string{}
		for i, w := range widgets {
			name := fmt.Sprintf("widget %d %s", i, w.Properties.Title)
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

// The experiment is one page: what a reader of the seed asks for stands on it.
func TestTheExperimentShowsLoadSignalsCapacityAnswersAndVerdict(t *testing.T) {
	widgets := dashboard(t, "experiment", given())
	var shown, lines, queries []string
	alarms := 0
	for _, w := range widgets {
		for _, row := range w.Properties.Metrics {
			stat := row.options.Stat
			shown = append(shown, row.namespace+" "+row.name+" "+stat, row.expression)
		}
		if w.Properties.Annotations != nil {
			for _, a := range w.Properties.Annotations.Horizontal {
				lines = append(lines, fmt.Sprint(w.Properties.Title, ": ", a.Label, " ", a.Value))
			}
		}
		queries = append(queries, w.Properties.Query)
		alarms += len(w.Properties.Alarms)
	}
	for _, want := range []string{
		"LoadGen OfferedRate Sum", "LoadGen Requests Sum", "LoadGen Latency p50", "LoadGen Latency p99", "LoadGen RawLatency p99", "LoadGen Errors Sum", "LoadGen Dropped Sum",
		"LoadGen Users Sum", "LoadGen Verdict Maximum", "AWS/ECS CPUUtilization SampleCount", "AWS/ECS CPUUtilization Average",
		"AWS/ApplicationELB RequestCountPerTarget Sum", "AWS/ApplicationELB HealthyHostCount Minimum",
		// Of several tasks Sum adds up, a datum a period: a widget's minute has sixty of them at 1 s.
		"offered*60/PERIOD(offered)", "users*60/PERIOD(users)",
		`SEARCH('{ECS/ContainerInsights,ClusterName,ServiceName} MetricName="DesiredTaskCount" ClusterName="c" ServiceName="s"', 'Average', 60)`,
	} {
		if !slices.Contains(shown, want) {
			t.Errorf("%s is not shown", want)
		}
	}
	for _, want := range []string{
		"Latency as callers had it, ms (corrected): objective 120", "Signal: requests per target and minute: target 1000", "Signal: CPU, percent: target 62.5",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %q: %q", want, lines)
		}
	}
	if alarms != 2 {
		t.Errorf("%d alarms, want both", alarms)
	}
	if !slices.ContainsFunc(queries, func(q string) bool { return strings.HasPrefix(q, "SOURCE '/loadgen/s' | ") }) {
		t.Errorf("no query over the watcher's log: %q", queries)
	}
}

func TestWhatIsNotGivenHasADefaultOrIsLeftOut(t *testing.T) {
	values := given()
	for _, p := range Placeholders() {
		if !p.Required {
			delete(values, p.Name)
		}
	}
	for name, want := range map[string][]string{
		"experiment": {"watch_log_group", "alarm_arns"},
		"api":        {"log_group", "alarm_arns"},
	} {
		body, left, err := Body(name, values)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(left, want) {
			t.Errorf("%s: left out %q, want %q", name, left, want)
		}
		widgets, problems := structure(body)
		if len(problems) > 0 {
			t.Errorf("%s: %q", name, problems)
		}
		if whole := dashboard(t, name, given()); len(widgets) != len(whole)-2 {
			t.Errorf("%s: %d widgets of %d, want two left out", name, len(widgets), len(whole))
		}
	}
	body, _, err := Body("experiment", values)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"Service",
            "s"`, `"value": 200`, `"value": 6`, "offered*60/PERIOD(offered)"} {
		if !strings.Contains(string(body), want) {
			t.Errorf("no %s in it", want)
		}
	}
	values["resolution"] = []string{"1"}
	if body, _, _ = Body("experiment", values); !strings.Contains(string(body), "offered*1/PERIOD(offered)") {
		t.Error("the resolution is not used")
	}
}

func TestAnARNStandsForTheNameInIt(t *testing.T) {
	values := given()
	values["cluster"] = []string{"arn:aws:ecs:us-east-1:123456789012:cluster/c"}
	values["service"] = []string{"arn:aws:ecs:us-east-1:123456789012:service/c/s"}
	values["load_balancer"] = []string{"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/a/50dc6c495c0c9188"}
	values["target_group"] = []string{"arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/t/73e2d6bc24d8a067"}
	values["log_group"] = []string{"arn:aws:logs:us-east-1:123456789012:log-group:/ecs/s"}
	values["watch_log_group"] = []string{"arn:aws:logs:us-east-1:123456789012:log-group:/loadgen/s:*"}
	for _, name := range Names() {
		want, _, err := Body(name, given())
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := Body(name, values); err != nil || string(got) != string(want) {
			t.Errorf("%s: %v; it differs from that of names", name, err)
		}
	}
}

func TestWhatIsNoNameIsRefusedByItsPlaceholder(t *testing.T) {
	for _, tt := range []struct{ name, value, why string }{
		{"region", "Frankfurt", "a city"},
		{"region", "", "nothing"},
		{"cluster", `c"}`, "it would end the text"},
		{"cluster", "arn:aws:ecs:us-east-1:123456789012:service/c/s", "the ARN of something else"},
		{"service", "a b", "no name of ECS's"},
		{"load_balancer", "a-123.us-east-1.elb.amazonaws.com", "its DNS name"},
		{"load_balancer", "net/a/50dc6c495c0c9188", "a network load balancer has none of these metrics"},
		{"target_group", "t", "the name alone is not the dimension"},
		{"metrics_service", `it's`, "it would end the query"},
		{"metrics_service", `a\b`, "it would escape what follows"},
		{"metrics_service", "é", "CloudWatch takes ASCII"},
		{"log_group", "a'b", "it would end the query"},
		{"alarm_arns", "high", "a name, where a widget wants ARNs"},
		{"min_capacity", "-1", "below 0"},
		{"min_capacity", "10", "above the maximum of 9"},
		{"max_capacity", "many", "no number"},
		{"objective_ms", "0", "nothing is that quick"},
		{"cpu_target", "NaN", "no number"},
		{"resolution", "5", "loadgen publishes at 1 s or 60 s"},
	} {
		values := given()
		values[tt.name] = []string{tt.value}
		_, _, err := Body("experiment", values)
		all := input.Errors(err)
		if len(all) != 1 || all[0].Field != tt.name || strings.Contains(all[0].Error(), "\n") {
			t.Errorf("%s %q: %v, want it refused: %s", tt.name, tt.value, err, tt.why)
		}
	}
	if _, _, err := Body("experiment", nil); len(input.Errors(err)) != 5 {
		t.Errorf("without a name: %v, want each required one", err)
	}
	if _, _, err := Body("experment", given()); err == nil || input.Errors(err)[0].Hint != "did you mean experiment?" {
		t.Errorf("a dashboard that there is not: %v", err)
	}
	values := given()
	values["alarm_arns"] = slices.Repeat(values["alarm_arns"], 51)
	if _, _, err := Body("api", values); err == nil {
		t.Error("102 alarms pass, and a widget takes 100")
	}
}

// What is given must come out as that text, whatever it is made of, or be refused: it cannot change what a dashboard is.
func FuzzBody(f *testing.F) {
	f.Add("load of s", "/loadgen/s")
	f.Add(`"`, `'`)
	f.Add("${region}", "a${b}")
	f.Fuzz(func(t *testing.T, service, group string) {
		values := given()
		values["metrics_service"], values["watch_log_group"] = []string{service}, []string{group}
		body, _, err := Body("experiment", values)
		if err != nil {
			return
		}
		widgets, problems := structure(body)
		if len(problems) > 0 {
			t.Fatalf("%q, %q: %q", service, group, problems)
		}
		for _, w := range widgets {
			for _, row := range w.Properties.Metrics {
				if row.namespace == "LoadGen" && row.values[0] != strings.TrimSpace(service) {
					t.Fatalf("%q became %q", service, row.values[0])
				}
				if strings.HasPrefix(row.expression, "SEARCH(") && unsearched(row.expression) != "" {
					t.Fatalf("%q: %s", service, unsearched(row.expression))
				}
			}
		}
	})
}

func TestTheStructureIsTheDocumentedOne(t *testing.T) {
	good := `{"type": "metric", "x": 0, "y": 0, "width": 6, "height": 6, "properties": {"title": "t", "region": "us-east-1", "metrics": [["AWS/ECS", "CPUUtilization", "ClusterName", "c"]]}}`
	if _, problems := structure([]byte(`{"widgets": [` + good + `]}`)); len(problems) > 0 {
		t.Fatalf("%q", problems)
	}
	change := func(from, to string) string { return strings.Replace(good, from, to, 1) }
	for why, w := range map[string]string{
		"a type that there is not":              change(`"metric"`, `"metrics"`),
		"a property of no widget":               change(`"title"`, `"name"`),
		"a property of another kind":            change(`"title"`, `"markdown"`),
		"too far to the right":                  change(`"x": 0`, `"x": 20`),
		"no height":                             change(`"height": 6`, `"height": 0`),
		"no region":                             change(`"region": "us-east-1", `, ``),
		"no metrics":                            change(`"metrics": [["AWS/ECS", "CPUUtilization", "ClusterName", "c"]]`, `"stacked": false`),
		"a view that there is not":              change(`"title": "t"`, `"view": "lines"`),
		"a period that is no minute":            change(`"title": "t"`, `"period": 10`),
		"a dimension without a value":           change(`"ClusterName", "c"`, `"ClusterName"`),
		"a metric without a name":               change(`"AWS/ECS", "CPUUtilization", "ClusterName", "c"`, `"AWS/ECS"`),
		"a statistic that there is not":         change(`"ClusterName", "c"`, `"ClusterName", "c", {"stat": "p999"}`),
		"a period of a row that is no minute":   change(`"ClusterName", "c"`, `"ClusterName", "c", {"period": 1}`),
		"a rendering property that there isn't": change(`"ClusterName", "c"`, `"ClusterName", "c", {"colour": "#fff"}`),
		"an id that begins with a capital":      change(`"ClusterName", "c"`, `"ClusterName", "c", {"id": "M1"}`),
		"an axis that there is not":             change(`"ClusterName", "c"`, `"ClusterName", "c", {"yAxis": "top"}`),
		"an expression beside a metric":         change(`"ClusterName", "c"`, `"ClusterName", "c", {"expression": "a"}`),
		"a gauge without bounds":                change(`"title": "t"`, `"view": "gauge"`),
		"a line without a value":                change(`"title": "t"`, `"annotations": {"horizontal": [{"label": "x"}]}`),
		"a line that is filled sideways":        change(`"title": "t"`, `"annotations": {"horizontal": [{"value": 1, "fill": "left"}]}`),
		"alarms beside metrics":                 change(`"title": "t"`, `"annotations": {"alarms": ["a"]}`),
		"a text without a text":                 `{"type": "text", "properties": {}}`,
		"a text with metrics":                   `{"type": "text", "properties": {"markdown": "x", "metrics": []}}`,
		"a log without a source":                `{"type": "log", "properties": {"region": "us-east-1", "query": "fields @message"}}`,
		"a log shown as a gauge":                `{"type": "log", "properties": {"region": "us-east-1", "query": "SOURCE 'a' | fields @message", "view": "gauge"}}`,
		"alarms without one":                    `{"type": "alarm", "properties": {"title": "t", "alarms": []}}`,
		"an alarm by its name":                  `{"type": "alarm", "properties": {"title": "t", "alarms": ["high"]}}`,
	} {
		if _, problems := structure([]byte(`{"widgets": [` + w + `]}`)); len(problems) == 0 {
			t.Errorf("%s passes: %s", why, w)
		}
	}
	for why, body := range map[string]string{
		"no widgets":                    `{}`,
		"501 widgets":                   `{"widgets": [` + strings.TrimSuffix(strings.Repeat(good+",", 501), ",") + `]}`,
		"a start that is no time":       `{"start": "3h", "widgets": []}`,
		"an override that there is not": `{"periodOverride": "always", "widgets": []}`,
		"a property of none":            `{"title": "t", "widgets": []}`,
	} {
		if _, problems := structure([]byte(body)); len(problems) == 0 {
			t.Errorf("%s passes", why)
		}
	}
	if !json.Valid([]byte(good)) {
		t.Error("the widget that is varied is no JSON")
	}
}

// What a distribution is shown by are percentiles; what is one datum a period, of each task, is added up, and what is one a run
// is the worst.
func TestEachOfOurMetricsIsShownByAStatisticOfItsKind(t *testing.T) {
	kinds := map[publish.Kind]*regexp.Regexp{
		publish.Distributed: regexp.MustCompile(`^p\d`), publish.Count: regexp.MustCompile(`^Sum$`), publish.Gauge: regexp.MustCompile(`^Sum$`),
		publish.OneTask: regexp.MustCompile(`^Maximum$`), publish.AtEnd: regexp.MustCompile(`^Maximum$`),
	}
	of := map[string]publish.Kind{}
	for _, m := range publish.Metrics() {
		of[m.Name] = m.Kind
	}
	each(t, func(t *testing.T, widgets []widget) {
		for _, w := range widgets {
			for _, row := range w.Properties.Metrics {
				if row.namespace == publish.DefaultNamespace && !kinds[of[row.name]].MatchString(row.options.Stat) {
					t.Errorf("%s: %s of %s, a %s", w.Properties.Title, row.options.Stat, row.name, of[row.name])
				}
			}
		}
	})
}

// The query names what a line of the watcher's log has.
func TestTheQueryAsksForWhatTheWatcherWrites(t *testing.T) {
	source, err := os.ReadFile("../loadgen/aws/scaling/log.go")
	if err != nil {
		t.Skip(err)
	}
	_, line, found := strings.Cut(string(source), "type LogLine struct {")
	if !found {
		t.Fatal("no LogLine in it")
	}
	line, _, _ = strings.Cut(line, "\n}")
	var written []string
	for _, m := range regexp.MustCompile("`json:\"(\\w+)").FindAllStringSubmatch(line, -1) {
		written = append(written, m[1])
	}
	n := 0
	for _, w := range dashboard(t, "experiment", given()) {
		if w.Type != "log" {
			continue
		}
		asked := regexp.MustCompile(`ispresent\((\w+)\) \| fields (.*?) \|`).FindStringSubmatch(w.Properties.Query)
		if asked == nil {
			t.Fatalf("%q is no query that this test can read", w.Properties.Query)
		}
		for field := range strings.SplitSeq(asked[1]+", "+asked[2], ", ") {
			field, _, _ = strings.Cut(field, " as ")
			field, _, _ = strings.Cut(field, ".")
			if n++; !strings.HasPrefix(field, "@") && !slices.Contains(written, field) {
				t.Errorf("%s is not written: %q", field, written)
			}
		}
	}
	if n == 0 {
		t.Error("no query")
	}
}
