//go:build e2e

package infra

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// values fill in every placeholder of an identity's policy.
var values = map[string]string{
	"partition": "aws", "region": "us-east-1", "account_id": "123456789012", "prefix": "api-dev", "dns_suffix": "amazonaws.com",
	"cluster": "api-dev-cluster", "cluster_arn": "arn:aws:ecs:us-east-1:123456789012:cluster/api-dev-cluster", "service": "api-dev-service",
	"family": "api-dev-loadgen", "alarm_prefix": "api-dev-", "bucket": "state", "bucket_arn": "arn:aws:s3:::results",
	"key_arn":                "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
	"log_group_arn":          "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/api-dev",
	"watch_log_group_arn":    "arn:aws:logs:us-east-1:123456789012:log-group:/loadgen/api-dev",
	"execution_role_arn":     "arn:aws:iam::123456789012:role/api-dev-execution",
	"task_role_arn":          "arn:aws:iam::123456789012:role/api-dev-load",
	"repository_arn":         "arn:aws:ecr:us-east-1:123456789012:repository/api-dev/collector",
	"app_repository_arn":     "arn:aws:ecr:us-east-1:123456789012:repository/api-dev/app",
	"loadgen_repository_arn": "arn:aws:ecr:us-east-1:123456789012:repository/api-dev/loadgen",
	"state_machine_arn":      "arn:aws:states:us-east-1:123456789012:stateMachine:api-dev-reaper",
}

// linted runs parliament over policies, by name, and returns what it says that is no exception, and the exceptions that it said.
func linted(t *testing.T, policies map[string]string) (found, excepted []string) {
	t.Helper()
	program := os.Getenv("E2E_PARLIAMENT")
	if program == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("E2E_PARLIAMENT names no parliament")
		}
		t.Skip("E2E_PARLIAMENT names no parliament")
	}
	dir := t.TempDir()
	for name, document := range policies {
		if err := os.WriteFile(filepath.Join(dir, name+".json"), []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "--directory", dir, "--include_policy_extension", "json")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output() // 1 when it found something
	if err != nil && len(out) == 0 {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var exceptions []string
	for l := range strings.SplitSeq(text(t, ".parliament-exceptions"), "\n") {
		if l != "" && !strings.HasPrefix(l, "#") {
			exceptions = append(exceptions, l)
		}
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		i := slices.IndexFunc(exceptions, func(e string) bool { return strings.Contains(lines.Text(), e) })
		switch {
		case i >= 0:
			excepted = append(excepted, exceptions[i])
		case lines.Text() != "":
			found = append(found, lines.Text())
		}
	}
	for _, e := range exceptions {
		if !slices.Contains(excepted, e) {
			excepted = append(excepted, "unused: "+e)
		}
	}
	return found, excepted
}

// Every template, also those that no example applies.
func TestALinterOfPoliciesFindsNothingButWhatIsListed(t *testing.T) {
	paths, _ := filepath.Glob("policies/*.json.tftpl") // the pattern is well formed
	policies := map[string]string{}
	for _, path := range paths {
		document := regexp.MustCompile(`\$\{(\w+)\}`).ReplaceAllStringFunc(text(t, path), func(p string) string {
			return values[p[2:len(p)-1]]
		})
		if strings.Contains(document, `"Principal"`) {
			continue // a resource's, which it does not know
		}
		for _, m := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(text(t, path), -1) {
			if values[m[1]] == "" {
				t.Errorf("%s: no value for %s", path, m[1])
			}
		}
		policies[strings.TrimSuffix(filepath.Base(path), ".json.tftpl")] = document
	}
	if len(policies) < 15 {
		t.Fatalf("found %d policies of identities", len(policies))
	}
	found, excepted := linted(t, policies)
	if len(found) > 0 {
		t.Errorf("%s", strings.Join(found, "\n"))
	}
	for _, e := range excepted {
		if strings.HasPrefix(e, "unused: ") {
			t.Errorf("an exception that nothing needs: %s", e)
		}
	}
}

func TestWhatALinterFindsIsSeen(t *testing.T) {
	found, _ := linted(t, map[string]string{
		"wide":  `{"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow", "Action": "ecs:RunTask", "Resource": "*"}]}`,
		"wrong": `{"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow", "Action": "ecs:RunTasks", "Resource": "*"}]}`,
		"other": `{"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow", "Action": "ecs:StopTask", "Resource": "arn:aws:ecs:us-east-1:123456789012:service/c/s"}]}`,
	})
	for _, name := range []string{"wide", "wrong", "other"} {
		if !slices.ContainsFunc(found, func(l string) bool { return strings.Contains(l, name+".json") }) {
			t.Errorf("nothing is found in %s: %q", name, found)
		}
	}
}
