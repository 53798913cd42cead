package timeline

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/internal/input"
)

func TestTimelineJSONHasTheNamesOfTheContract(t *testing.T) {
	line := &Timeline{
		Speedup: 20, LoadFrom: 1500 * time.Millisecond, LoadTo: 3 * time.Minute, End: 4*time.Minute + 1, Min: 2, Max: 6,
		Bounds:  []BoundsChange{{At: sec, Min: 3, Max: 5}},
		Points:  []Point{{At: 0, Desired: 4, Running: 3, Healthy: 2, Draining: 1}},
		Metrics: []Datum{{At: 3 * sec, Policy: "requests", Value: 11250}, {At: 6 * sec, Policy: "cpu", Missing: true}},
		Alarms:  []AlarmChange{{At: 9 * sec, Alarm: "requests-AlarmHigh", Policy: "requests", High: true, State: Alarm, Reason: "3 datapoints > 50"}},
		Activities: []Activity{
			{At: 9 * sec, Completed: 11 * sec, Policy: "requests", From: 2, To: 6, Status: Successful, Description: "d", Cause: "c", StatusMessage: "m"},
			{At: 12 * sec, Policy: "requests", From: 6, To: 6, Status: NotScaled, NotScaledReasons: []string{"AlreadyAtMaxCapacity"}},
		},
		Tasks:  []Task{{ID: "a", Zone: "z", Requested: 0, Running: sec, Healthy: 2 * sec, FirstSent: 3 * sec, Draining: Never, Stopped: Never, Reason: "r", Requests: 9, Errors: 1}},
		Events: []Event{{At: 20 * sec, Type: "kill-task", Detail: "<a>"}},
	}
	const want = `{"schema":"loadgen/timeline/v1","speedup":20,"load_from_s":1.5,"load_to_s":180,"end_s":240.000000001,"min":2,"max":6,` +
		`"bounds":[{"t_s":1,"min":3,"max":5}],` +
		`"points":[{"t_s":0,"desired":4,"running":3,"healthy":2,"draining":1}],` +
		`"metrics":[{"t_s":3,"policy":"requests","value":11250},{"t_s":6,"policy":"cpu","value":null}],` +
		`"alarms":[{"t_s":9,"alarm":"requests-AlarmHigh","policy":"requests","high":true,"state":"ALARM","reason":"3 datapoints > 50"}],` +
		`"activities":[{"t_s":9,"completed_s":11,"policy":"requests","from":2,"to":6,"status":"Successful","description":"d","cause":"c","status_message":"m","not_scaled_reasons":[]},` +
		`{"t_s":12,"completed_s":null,"policy":"requests","from":6,"to":6,"status":"NotScaled","description":"","cause":"","status_message":"","not_scaled_reasons":["AlreadyAtMaxCapacity"]}],` +
		`"tasks":[{"id":"a","zone":"z","requested_s":0,"running_s":1,"healthy_s":2,"first_response_s":3,"draining_s":null,"stopped_s":null,"reason":"r","requests":9,"errors":1}],` +
		`"events":[{"t_s":20,"type":"kill-task","detail":"<a>"}]}` + "\n"
	got, err := Encode(line)
	if err != nil || string(got) != want {
		t.Errorf("Encode: %v\n got %s\nwant %s", err, got, want)
	}
}

func TestTimelineReadsBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := anyTimeline(time.Duration(rapid.Int64Range(1, 1e12).Draw(t, "grid")), MaxTime).Draw(t, "timeline")
		data, err := Encode(line)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode(data)
		if err != nil || !reflect.DeepEqual(back, line) {
			t.Fatalf("%s reads as\n%+v, %v, want\n%+v", data, back, err, line)
		}
		within, err := json.Marshal(map[string]any{"value": *line, "pointer": line}) // both have the wire's names
		if err != nil || strings.Count(string(within), `"load_from_s"`) != 2 {
			t.Fatalf("within a document it is %s, %v", within, err)
		}
	})
}

func TestFiguresReadBackAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const grid, end = 100 * time.Millisecond, 6 * time.Second
		capacity := Capacity{PerTask: rapid.SampledFrom([]float64{0, 60}).Draw(t, "capacity")}
		f := Compute(anyTimeline(grid, end).Draw(t, "timeline"), anyLoad(grid, end).Draw(t, "load"), capacity)
		data, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		var back Figures
		if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back, f) {
			t.Fatalf("%s reads as\n%+v, %v, want\n%+v", data, back, err, f)
		}
	})
}

func TestFiguresJSONHasTheNamesOfTheContract(t *testing.T) {
	line := seed()
	line.Speedup, line.Tasks = 2, line.Tasks[:1]
	data, err := json.Marshal(Compute(line, Load{{From: minute, To: 16 * minute, Rate: 300, Requests: 900, Errors: 9}}, seedCapacity()))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"speedup":2,"load":{"run_s":900,"service_s":1800},"watched":{"run_s":2640,"service_s":5280},`,
		`"min_tasks":2,"max_tasks":6,"min_healthy":2,"max_healthy":6,"desired_before":2,"min_desired":2,"max_desired":6,`,
		`"scale_out_path":[2,6],"scale_in_path":[6,5,4,3,2],"activities":5,"not_scaled":1,"replacements":0,"oscillations":0,`,
		`"lags":{"alarm":{"run_s":180,"service_s":360},"decision":`, `"first_response":null,"scale_in":`, `"drain":{"run_s":30,"service_s":60}}`,
		`"scale_out":{"run_s":240,"service_s":480},"recovery":{"run_s":1470,"service_s":2940},"steady":{"from_s":300,"to_s":960},`,
		`"provisioning":{"requests_per_second_per_task":62.5,"utilisation":0.8,"max_demand":6,"during_load":{"theta_under_percent":`,
		`"a_over_tasks":0,"tau_under_percent":26.666666666666668,"tau_over_percent":0,"jitter_tasks_per_hour":8,"under_provisioned":{"run_s":240,"service_s":480},`,
		`"steady":{"max_demand":6,"min_healthy":6,"under_provisioned":{"run_s":0,"service_s":0}},"overshoot_tasks":0,"requests_under_provisioned":240,"errors_under_provisioned":2}`,
		`"tasks":[{"id":"a","zone":"a","requests":300,"errors":3,"share":1,"requests_per_second":0.3333333333333333}]}`,
	} {
		if !strings.Contains(string(data), want) {
			t.Errorf("the object lacks %s\n%s", want, data)
		}
	}
	if data, _ := json.Marshal(Compute(line, nil, Capacity{})); !strings.Contains(string(data), `"provisioning":null`) || !strings.Contains(string(data), `"oscillations":null`) {
		t.Errorf("what is unknown is not null: %s", data)
	}
}

func TestWhatIsNoTimelineIsRefusedWithTheFieldThatIsNot(t *testing.T) {
	const whole = `{"schema":"loadgen/timeline/v1","speedup":1,"load_from_s":0,"load_to_s":1,"end_s":2,"min":1,"max":2,"points":[{"t_s":0,"desired":1,"running":1,"healthy":1}]`
	for _, row := range []struct {
		text, want, because string
	}{
		{`{}`, `schema: want loadgen/timeline/v1`, "a foreign file"},
		{`{"schema":"loadgen/timeline/v2"}`, `schema "loadgen/timeline/v2": want loadgen/timeline/v1`, ""},
		{`[]`, `timeline "array": want an object`, ""},
		{`{"schema":"loadgen/timeline/v1"}`, `load_from_s: want seconds, 0 to 315360000`, "what must be there"},
		{whole + `,"metrics":[{"policy":"a","value":1}]}`, `metrics[0].t_s: want seconds, 0 to 315360000`, ""},
		{whole + `,"metrics":[{"t_s":"1","policy":"a"}]}`, `metrics[0].t_s "\"1\"": want seconds, 0 to 315360000`, "a string is no number"},
		{whole + `,"metrics":[{"t_s":-1,"policy":"a"}]}`, `metrics[0].t_s "-1": want seconds, 0 to 315360000`, ""},
		{whole + `,"metrics":[{"t_s":{"a":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]}}]}`, `metrics[0].t_s "{\"a\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,1…": want seconds, 0 to 315360000`, "however long, it stays a line"},
		{whole + `,"metrics":[{"t_s":"` + "\u009b" + `"}]}`, `metrics[0].t_s "\"\u009b\"": want seconds, 0 to 315360000`, "a control sequence stays text"},
		{whole + `,"metrics":[{"t_s":1e999,"policy":"a"}]}`, `metrics[0].t_s "1e999": want seconds, 0 to 315360000`, ""},
		{whole + `,"metrics":[{"t_s":99999999999,"policy":"a"}]}`, `metrics[0].t_s "99999999999": want seconds, 0 to 315360000`, ""},
		{whole + `,"metrics":[{"t_s":1,"policy":1}]}`, `metrics.policy "number": want a string`, ""},
		{whole + `,"metrics":[{"t_s":1,"policy":"a","value":1e999}]}`, `metrics.value "number 1e999": want a number`, ""},
		{whole + `,"metrics":{}}`, `metrics "object": want a list`, ""},
		{whole + `,"alarms":[{"t_s":1,"alarm":"a","high":1}]}`, `alarms.high "number": want true or false`, ""},
		{whole + `,"tasks":[{"id":"a"}]}`, `tasks[0].requested_s: want seconds, 0 to 315360000`, ""},
		{whole + `,"tasks":[{"id":"a","requested_s":0,"healthy_s":true}]}`, `tasks[0].healthy_s "true": want seconds, 0 to 315360000`, ""},
		{whole + `,"activities":[{"t_s":0,"status":"a","completed_s":"x"}]}`, `activities[0].completed_s "\"x\"": want seconds, 0 to 315360000`, ""},
		{whole + `,"activities":[{"t_s":0,"status":"a","from":1.5}]}`, `activities.from "number 1.5": want a whole number`, ""},
		{whole + `,"end_s":0.5}`, `load_to_s "1": want 0 to 0.5`, "what Validate refuses"},
	} {
		_, err := Decode([]byte(row.text))
		if _, ok := errors.AsType[*input.Error](err); !ok || err.Error() != row.want {
			t.Errorf("%s %s\n got %T %v\nwant %s", row.text, row.because, err, err, row.want)
		}
	}
	if _, err := Decode([]byte(whole + `,"a field of a later writer":{"x":[1]}}`)); err != nil {
		t.Errorf("a field that this version does not know: %v", err)
	}
	for _, text := range []string{"", "{", whole, whole + "}x"} {
		if _, err := Decode([]byte(text)); err == nil {
			t.Errorf("%q is read", text)
		}
	}
	if _, err := Encode(&Timeline{}); err == nil {
		t.Error("Encode writes what Decode refuses")
	}
}

func TestSecondsAreExactToTheNanosecond(t *testing.T) {
	for _, row := range []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"0", 0, true},
		{"-0", 0, true},
		{"1.5", 1500 * time.Millisecond, true},
		{"315360000.000000001", MaxTime + 1, true},
		{"-315360000.000000001", -MaxTime - 1, true},
		{"1.0000000004", sec, true},
		{"1.0000000006", sec + 1, true},
		{"1e3", 1000 * sec, true},
		{"1E-9", 1, true},
		{"1e-300", 0, true},
		{"1e300", 0, false},
		{"9999999999", 0, false},
		{"", 0, false},
		{"x", 0, false},
	} {
		got, ok := parseSeconds(row.text)
		if ok != row.ok || ok && got != row.want {
			t.Errorf("%q is %v, %v, want %v, %v", row.text, got, ok, row.want, row.ok)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(-1<<62, 1<<62).Draw(t, "d"))
		if back, ok := parseSeconds(seconds(d)); !ok || back != d {
			t.Fatalf("%d is written %s, which reads as %d, %v", d, seconds(d), back, ok)
		}
	})
}

func FuzzDecode(f *testing.F) {
	data, err := Encode(seed())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for _, text := range []string{
		`{}`, `{"schema":"loadgen/timeline/v1","speedup":1,"load_from_s":0,"load_to_s":0,"end_s":0,"points":[{"t_s":0}]}`,
		`{"schema":"loadgen/timeline/v1","speedup":1e6,"load_from_s":0,"load_to_s":1e8,"end_s":3e8,"max":9,"points":[{"t_s":0,"desired":1000000,"running":1000000}],"bounds":[{"t_s":1,"max":2}]}`,
		`{"schema":"loadgen/timeline/v1","speedup":1,"load_from_s":null,"points":null,"tasks":[{"id":"\ud800"}]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		line, err := Decode(data)
		if err != nil {
			if _, ok := errors.AsType[*input.Error](err); ok && strings.ContainsAny(err.Error(), "\n\r\x1b") {
				t.Fatalf("%q is not one line", err)
			}
			return
		}
		written, err := Encode(line)
		if err != nil {
			t.Fatalf("%q is read and cannot be written: %v", data, err)
		}
		back, err := Decode(written)
		if err != nil || !reflect.DeepEqual(back, line) {
			t.Fatalf("%s reads as %+v, %v, want %+v", written, back, err, line)
		}
		figures := Compute(line, Load{{From: line.LoadFrom, To: line.End + 1, Rate: 1, Requests: 1}}, Capacity{PerTask: 1})
		if _, err := json.Marshal(figures); err != nil {
			t.Fatalf("%s has figures that JSON has not: %v", written, err)
		}
	})
}
