package tasks

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestTerraformOutputsAreReadAsTerraformPrintsThem(t *testing.T) {
	got, err := ParseOutputs([]byte(`{
	  "alb_url": {"sensitive": false, "type": "string", "value": "http://alb"},
	  "cluster": {"sensitive": false, "type": "string", "value": "main"},
	  "load_assign_public_ip": {"sensitive": false, "type": "bool", "value": true},
	  "load_subnets": {"sensitive": false, "type": ["tuple", ["string", "string"]], "value": ["subnet-1", "subnet-2"]},
	  "load_security_groups": {"sensitive": false, "type": ["tuple", ["string"]], "value": ["sg-1"]},
	  "load_task_definition": {"sensitive": false, "type": "string", "value": "arn:aws:ecs:r:1:task-definition/loadgen:3"},
	  "results_bucket": {"sensitive": false, "type": "dynamic", "value": null},
	  "monthly_cost": {"sensitive": false, "type": ["object", {}], "value": {"alb": 16}}
	}`))
	want := Outputs{
		ALB: "http://alb", Cluster: "main", PublicIP: true, Subnets: []string{"subnet-1", "subnet-2"}, SecurityGroups: []string{"sg-1"},
		TaskDefinition: "arn:aws:ecs:r:1:task-definition/loadgen:3",
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for text, want := range map[string]string{
		`cluster = "main"`: "no JSON object of outputs: want what terraform output -json prints",
		`{}`:               "none of its outputs is one of alb_url, cluster, load_assign_public_ip",
		`{"cluster":{"sensitive":false,"value":5}}`:                   `cluster "5": want a text`,
		`{"load_subnets":{"sensitive":false,"value":"subnet"}}`:       `load_subnets "\"subnet\"": want a list of texts`,
		`{"load_assign_public_ip":{"sensitive":false,"value":"yes"}}`: `load_assign_public_ip "\"yes\"": want true or false`,
	} {
		if _, err := ParseOutputs([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// The stack of this repository has the outputs that are read.
func TestTheStackHasTheOutputs(t *testing.T) {
	text, err := os.ReadFile("../../../infra/outputs.tf")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range OutputNames() {
		if !strings.Contains(string(text), `output "`+name+`" {`) {
			t.Errorf("infra/outputs.tf has no output %s", name)
		}
	}
}

func FuzzParseOutputs(f *testing.F) {
	f.Add([]byte(`{"cluster":{"sensitive":false,"value":"main"},"load_subnets":{"sensitive":false,"value":["a"]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := ParseOutputs(data); err != nil && strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("an error of several lines: %q", err)
		}
	})
}
