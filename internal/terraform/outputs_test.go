package terraform

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"scalableappbackend/internal/input"
)

const printed = `{
  "cluster": {"sensitive": false, "type": "string", "value": "prod"},
  "service": {"sensitive": false, "type": "string", "value": null},
  "load_subnets": {"sensitive": false, "type": ["tuple", ["string", "string"]], "value": ["subnet-1", "subnet-2"]},
  "load_assign_public_ip": {"sensitive": true, "type": "bool", "value": true},
  "none": {"sensitive": false, "type": ["tuple", []], "value": []},
  "dashboard": {"sensitive": false, "type": ["object", {}], "value": {"max_capacity": 6, "cpu_target": 62.5, "alarm_arns": ["a"], "log_group": null}}
}`

func TestOutputsAreReadAsTerraformPrintsThem(t *testing.T) {
	o, err := Read(strings.NewReader(printed))
	if err != nil {
		t.Fatal(err)
	}
	inside, err := o.Inside("dashboard")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		of   Outputs
		name string
		want []string
		ok   bool
		why  string
	}{
		{o, "cluster", []string{"prod"}, true, "a string"},
		{o, "service", nil, false, "null is none"},
		{o, "load_subnets", []string{"subnet-1", "subnet-2"}, true, "a list"},
		{o, "load_assign_public_ip", []string{"true"}, true, "a boolean, also when it is sensitive"},
		{o, "none", nil, true, "a list without an element is there"},
		{o, "nowhere", nil, false, "no such output"},
		{inside, "max_capacity", []string{"6"}, true, "a whole number has no point"},
		{inside, "cpu_target", []string{"62.5"}, true, "another one has"},
		{inside, "log_group", nil, false, "null in an object is none too"},
	} {
		if got, ok, err := tt.of.Strings(tt.name); err != nil || ok != tt.ok || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, %t, %v, want %q: %s", tt.name, got, ok, err, tt.want, tt.why)
		}
	}
	if got, ok, err := o.String("cluster"); got != "prod" || !ok || err != nil {
		t.Errorf("one value: %q, %t, %v", got, ok, err)
	}
	if inside, err := o.Inside("nowhere"); err != nil || len(inside) != 0 {
		t.Errorf("an object that is not there: %v, %v", inside, err)
	}
}

func TestWhatIsNoFileOfOutputsIsRefused(t *testing.T) {
	for _, tt := range []struct{ text, why string }{
		{"", "nothing"},
		{"[]", "a list"},
		{"cluster = \"prod\"", "terraform output without -json"},
		{`{"cluster": "prod"}`, "values alone"},
		{`{"version": 4, "outputs": {}}`, "a state"},
		{`{"cluster": {"value": "prod"}}`, "no output of Terraform's"},
		{`{"cluster": null}`, "nor is null"},
	} {
		_, err := Read(strings.NewReader(tt.text))
		if _, ok := errors.AsType[*input.Error](err); !ok || !strings.Contains(err.Error(), "want what terraform output -json prints") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", tt.why, err)
		}
	}
	o, err := Read(strings.NewReader(printed))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.String("load_subnets"); err == nil {
		t.Error("a list is read as one value")
	}
	if _, _, err := o.Strings("dashboard"); err == nil {
		t.Error("an object is read as text")
	}
	if _, err := o.Inside("cluster"); err == nil {
		t.Error("a string is read as an object")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(printed)
	f.Add(`{"a":{"sensitive":false,"value":[1,null]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		for name := range o {
			_, _, _ = o.Strings(name)
			_, _ = o.Inside(name)
		}
	})
}
