package tasks

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/terraform"
)

// Outputs are those of a Terraform stack that a launch reads. What the stack does not have is empty.
type Outputs struct {
	Cluster        string
	Service        string // the ECS service under load
	TaskDefinition string
	Subnets        []string
	SecurityGroups []string
	PublicIP       bool
	Bucket         string // of results
	ALB            string // URL of the service
	WatchLogGroup  string
	Region         string
}

// ParseOutputs reads what `terraform output -json` or `tofu output -json` prints. It needs one output that it knows; others are passed
// over, and one that is null counts as not there.
func ParseOutputs(data []byte) (Outputs, error) {
	all, err := terraform.Read(bytes.NewReader(data))
	if err != nil {
		return Outputs{}, err
	}
	var o Outputs
	places := map[string]any{
		"cluster": &o.Cluster, "service": &o.Service, "load_task_definition": &o.TaskDefinition, "load_subnets": &o.Subnets,
		"load_security_groups": &o.SecurityGroups, "load_assign_public_ip": &o.PublicIP, "results_bucket": &o.Bucket, "alb_url": &o.ALB,
		"watch_log_group": &o.WatchLogGroup, "region": &o.Region,
	}
	known := 0
	for name, place := range places {
		value, there := all[name]
		if !there {
			continue
		}
		if err := json.Unmarshal(value, place); err != nil {
			return Outputs{}, &input.Error{Field: name, Got: string(value), Want: kindOf(place)}
		}
		known++
	}
	if known == 0 {
		return Outputs{}, &input.Error{Want: "none of its outputs is one of " + strings.Join(OutputNames(), ", ")}
	}
	return o, nil
}

// OutputNames are the outputs that are read, of infra/outputs.tf.
func OutputNames() []string {
	names := []string{
		"cluster", "service", "load_task_definition", "load_subnets", "load_security_groups", "load_assign_public_ip", "results_bucket", "alb_url",
		"watch_log_group", "region",
	}
	slices.Sort(names)
	return names
}

func kindOf(place any) string {
	switch place.(type) {
	case *[]string:
		return "a list of texts"
	case *bool:
		return "true or false"
	}
	return "a text"
}
