//go:build e2e

package infra

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// awsFake answers as the AWS CLI does, from files beside it: pushed (REPOSITORY:TAG a line), desired (a line a look),
// running-tasks, exit. Each call is a line of log.
const awsFake = `#!/usr/bin/env bash
set -u
here=$(dirname "$0")
echo "aws $*" >>"$here/log"
option() { local want=$1; shift; while (($#)); do [[ $1 == "$want" ]] && { echo "$2"; return; }; shift; done; }
tag=$(option --image-ids "$@"); tag=${tag#imageTag=}
repository=$(option --repository-name "$@")
case "$*" in
  "sts get-caller-identity"*) echo 123456789012 ;;
  "ecr get-login-password"*) echo secret ;;
  "ecr describe-images"*) grep -qx "$repository:$tag" "$here/pushed" || exit 254; echo "sha256:$(echo -n "$repository" | sha256sum | cut -c1-64)" ;;
  "ecr batch-get-image"*) echo '{}' ;;
  "ecr put-image"*) echo "$repository:$(option --image-tag "$@")" >>"$here/pushed" ;;
  "ecs run-task"*) echo arn:aws:ecs:us-east-1:123456789012:task/c/0123 ;;
  "ecs describe-tasks"*lastStatus*)
    n=$(($(cat "$here/looks" 2>/dev/null || echo 0) + 1)); echo $n >"$here/looks"
    if ((n % 6 == 0)); then echo STOPPED; else echo RUNNING; fi ;;
  "ecs describe-tasks"*exitCode*) cat "$here/exit" ;;
  "ecs describe-services"*)
    n=$(($(cat "$here/line" 2>/dev/null || echo 0) + 1)); echo $n >"$here/line"
    sed -n "$((n < $(wc -l <"$here/desired") ? n : $(wc -l <"$here/desired")))p" "$here/desired" ;;
  "application-autoscaling describe-scalable-targets"*) printf '2\t6\n' ;;
  "logs get-log-events"*) printf 'VALID 50 users\texit 0: passed\n' ;;
  "ecs list-tasks"*) cat "$here/running-tasks" ;;
  "ec2 describe-network-interfaces"*) echo 0 ;;
  "ecs list-service-deployments"*) echo arn:aws:ecs:us-east-1:123456789012:service-deployment/c/s/1 ;;
esac
`

const dockerFake = `#!/usr/bin/env bash
here=$(dirname "$0")
echo "docker $*" >>"$here/log"
if [[ $1 == push ]]; then echo "${2#*/}" >>"$here/pushed"; fi
if [[ $1 == login ]]; then cat >/dev/null; fi
`

const gitFake = `#!/usr/bin/env bash
case "$*" in
  *rev-parse*) echo 0123456789ab ;;
  *status*) cat "$(dirname "$0")/dirty" ;;
esac
`

type account struct{ root, bin string }

func newAccount(t *testing.T) account {
	t.Helper()
	tofu(t)
	a := account{workspace(t), t.TempDir()}
	for name, body := range map[string]string{"aws": awsFake, "docker": dockerFake, "git": gitFake} {
		if err := os.WriteFile(filepath.Join(a.bin, name), []byte(body), 0o700); err != nil { // #nosec: it is a program
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{"pushed": "", "desired": "2\t2\n", "running-tasks": "None\n", "exit": "0\n", "dirty": "", "log": ""} {
		a.set(t, name, content)
	}
	return a
}

func (a account) set(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(a.bin, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (a account) log(t *testing.T) string { t.Helper(); return text(t, filepath.Join(a.bin, "log")) }

// stack runs the script with an answer on its input; it returns what it says and its exit code.
func (a account) stack(t *testing.T, answer string, args ...string) (string, int) {
	t.Helper()
	a.set(t, "log", "")
	cmd := exec.CommandContext(t.Context(), filepath.Join(a.root, "infra", "stack"), args...)
	cmd.Env = append(os.Environ(), "PATH="+a.bin+":"+os.Getenv("PATH"), "POLL=0", "RECOVERY=5", "AWS_ACCESS_KEY_ID=offline", "AWS_SECRET_ACCESS_KEY=offline", "YES=")
	cmd.Dir, cmd.Stdin = a.root, strings.NewReader(answer)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	exit := new(exec.ExitError)
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

func (a account) state(t *testing.T) state {
	t.Helper()
	return readState(t, filepath.Join(a.root, "infra/examples/seed/terraform.tfstate"))
}

func inOrder(t *testing.T, where string, parts ...string) {
	t.Helper()
	rest := where
	for _, part := range parts {
		_, after, ok := strings.Cut(rest, part)
		if !ok {
			t.Fatalf("want %q after what came before it in:\n%s", part, where)
		}
		rest = after
	}
}

// One life of the seed's system, by the script alone.
func TestTheStackIsBuiltLoadedAndTakenDown(t *testing.T) {
	a := newAccount(t)
	images := filepath.Join(a.root, "infra/examples/seed/images.auto.tfvars.json")

	out, code := a.stack(t, "no\n", "up")
	inOrder(t, out, "account 123456789012", "up: first everything", "costs: $106 a month", "nothing done")
	if code != 1 || strings.Contains(a.log(t), "ecr") {
		t.Fatalf("exit %d after a no\n%s", code, a.log(t))
	}

	a.set(t, "dirty", " M server/server.go\n")
	if out, code = a.stack(t, "yes\n", "up"); code != 1 || !strings.Contains(out, "uncommitted changes") {
		t.Errorf("exit %d with uncommitted changes: %s", code, out)
	}
	a.set(t, "dirty", "")

	out, code = a.stack(t, "yes\n", "up")
	if code != 0 {
		t.Fatalf("exit %d\n%s", code, out)
	}
	log := a.log(t)
	inOrder(t, log, "docker login", "docker build --platform linux/amd64", "Dockerfile.server", "docker push", "put-image", "Dockerfile.loadgen", "docker push", "put-image")
	if n := strings.Count(log, "docker build"); n != 2 {
		t.Errorf("%d builds", n)
	}
	if !regexp.MustCompile(`"app_image": "[^"]+/scalableappbackend-dev-app@sha256:[0-9a-f]{64}"`).MatchString(text(t, images)) {
		t.Errorf("images: %s", text(t, images))
	}
	if s := a.state(t); s.resources[service] == nil || s.resources[load] == nil {
		t.Fatal("up ended without a service or a load task definition")
	}

	// Again: nothing is built, nothing goes away.
	out, code = a.stack(t, "yes\n", "up")
	if code != 0 || strings.Contains(a.log(t), "docker build") || !strings.Contains(out, "is there") || a.state(t).resources[service] == nil {
		t.Errorf("a second up: exit %d\n%s\n%s", code, out, a.log(t))
	}

	out, code = a.stack(t, "yes\n", "loadtest")
	if code != 0 || !strings.Contains(out, "VALID 50 users") {
		t.Fatalf("loadtest: exit %d\n%s", code, out)
	}
	inOrder(t, a.log(t), "ecs run-task", `"assignPublicIp":"ENABLED"`, "describe-tasks", "logs get-log-events")
	a.set(t, "exit", "99\n")
	if out, code = a.stack(t, "yes\n", "loadtest"); code != 99 {
		t.Errorf("a run that ended with 99: exit %d\n%s", code, out)
	}
	a.set(t, "exit", "None\n")
	if out, code = a.stack(t, "yes\n", "loadtest"); code != 1 || !strings.Contains(out, "never ran") {
		t.Errorf("a container that never ran: exit %d\n%s", code, out)
	}
	a.set(t, "exit", "0\n")

	a.set(t, "line", "0")
	a.set(t, "desired", "2\t2\n2\t2\n6\t3\n6\t6\n5\t5\n2\t2\n")
	out, code = a.stack(t, "yes\n", "loadtest", "PROFILE=proof")
	inOrder(t, out, "passed  scale_out_within", "passed  max_tasks==6", "passed  back at 2")
	if code != 0 || !strings.Contains(a.log(t), `"value":"20m"`) {
		t.Errorf("proof: exit %d\n%s", code, out)
	}
	a.set(t, "desired", "2\t2\n")
	out, code = a.stack(t, "yes\n", "loadtest", "PROFILE=proof")
	if code != 97 || !strings.Contains(out, "FAILED  scale_out_within<=480s: never") {
		t.Errorf("a service that never scaled: exit %d\n%s", code, out)
	}
	a.set(t, "line", "0")
	a.set(t, "desired", "2\t2\n6\t6\n")
	if out, code = a.stack(t, "yes\n", "loadtest", "PROFILE=proof"); code != 97 || !strings.Contains(out, "FAILED  back at 2") {
		t.Errorf("a service that stayed out: exit %d\n%s", code, out)
	}
	if out, code = a.stack(t, "yes\n", "gate"); code != 1 || !strings.Contains(out, "deploys by rolling") {
		t.Errorf("gate without a canary: exit %d\n%s", code, out)
	}

	file := filepath.Join(a.root, "infra/examples/seed/terraform.tfstate")
	protected := regexp.MustCompile(`("deletion_protection": \{\s*"value": )false`).ReplaceAllString(text(t, file), "${1}true")
	kept := text(t, file)
	if protected == kept {
		t.Fatal("no output deletion_protection in the state")
	}
	write := func(s string) {
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// As a canary's outputs would be.
	write(strings.Replace(kept, `"outputs": {`, `"outputs": {"deployment_test_header": {"value": "X-Loadgen-Test: p", "type": "string"},`, 1))
	a.set(t, "exit", "99\n")
	out, code = a.stack(t, "yes\n", "gate")
	if code != 99 {
		t.Fatalf("gate on a run that failed: exit %d\n%s", code, out)
	}
	inOrder(t, a.log(t), "list-service-deployments", "run-task", `"--header","X-Loadgen-Test: p"`, "stop-service-deployment", "service-deployment/c/s/1 --stop-type ROLLBACK")
	a.set(t, "exit", "0\n")
	if out, code = a.stack(t, "yes\n", "gate"); code != 0 || strings.Contains(a.log(t), "stop-service-deployment") {
		t.Errorf("gate on a run that passed: exit %d\n%s", code, out)
	}

	write(protected)
	if out, code = a.stack(t, "yes\n", "down"); code != 1 || !strings.Contains(out, "deletion_protection is on") || strings.Contains(a.log(t), "stop-task") {
		t.Errorf("down with deletion protection: exit %d\n%s", code, out)
	}
	write(kept)

	a.set(t, "running-tasks", "arn:aws:ecs:us-east-1:123456789012:task/c/0456\n")
	if out, code = a.stack(t, "no\n", "down"); code != 1 || strings.Contains(a.log(t), "stop-task") {
		t.Errorf("down after a no: exit %d\n%s", code, out)
	}
	out, code = a.stack(t, "yes\n", "down")
	if code != 0 || len(a.state(t).resources) != 0 {
		t.Fatalf("down: exit %d, %d resources left\n%s", code, len(a.state(t).resources), out)
	}
	inOrder(t, a.log(t), "list-tasks", "--family scalableappbackend-dev-loadgen", "stop-task", "0456", "wait tasks-stopped", "describe-network-interfaces")
	if _, err := os.Stat(images); err == nil {
		t.Error("the images' file is still there: the next up would begin with images that are gone")
	}
}

func TestTheStackRefusesWhatItDoesNotKnow(t *testing.T) {
	a := newAccount(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "no command"},
		{[]string{"upp"}, "want up, push, loadtest, gate or down"},
		{[]string{"up", "EXAMPLE=none"}, "EXAMPLE=none: want one of complete minimal"},
		{[]string{"loadtest", "PROFILE=long"}, "PROFILE=long: want seed or proof"},
		{[]string{"up", "-y"}, "-y: want EXAMPLE="},
	} {
		out, code := a.stack(t, "", c.args...)
		if code != 2 || !strings.Contains(out, c.want) || !strings.Contains(out, "infra/stack up") {
			t.Errorf("%v: exit %d, %s", c.args, code, out)
		}
		if a.log(t) != "" {
			t.Errorf("%v called AWS", c.args)
		}
	}
}
