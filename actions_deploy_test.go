package scalableappbackend

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// cloud stands in for what the scripts of image, deploy and release talk to: programs of these names in front of the
// path, which keep a registry in the file images (REPOSITORY:TAG DIGEST a line) and write each call into log. As in ECR a
// tag is immutable, but for dev.
type cloud struct{ root, bin string }

const fakeAWS = `#!/usr/bin/env bash
here=$(dirname "$0")
echo "aws $*" >>"$here/log"
option() { local want=$1; shift; while (($#)); do [[ $1 == "$want" ]] && { echo "$2"; return; }; shift; done; }
tag=$(option --image-ids "$@"); tag=${tag#imageTag=}
repository=$(option --repository-name "$@")
case "$*" in
  "sts get-caller-identity"*) echo 123456789012 ;;
  "ecr get-login-password"*) echo secret ;;
  "ecr describe-images"*sort_by*) grep "^$repository:" "$here/images" | tail -n 1 | cut -d' ' -f2 | grep . || echo None ;;
  "ecr describe-images"*) grep "^$repository:$tag " "$here/images" | cut -d' ' -f2 | grep . || exit 254 ;;
  "ecs list-service-deployments"*) [[ -s $here/stages ]] && echo arn:aws:ecs:us-east-1:123456789012:service-deployment/c/s/1 || echo None ;;
  "ecs describe-service-deployments"*) head -n 1 "$here/stages"; sed -i 1d "$here/stages" ;;
  *) echo "aws: $*" >&2; exit 1 ;;
esac
`

const fakeDocker = `#!/usr/bin/env bash
here=$(dirname "$0")
echo "docker $*" >>"$here/log"
tags=() last=""
for word; do [[ $last == --tag ]] && tags+=("${word#*/}"); last=$word; done
# What has a namespace before it, as in GitHub's registry, keeps it.
take() {
  if grep -q "^$1 " "$here/images" && [[ $1 != *:dev ]]; then echo "tag $1 is immutable and taken" >&2; exit 1; fi
  sed -i "\,^$1 ,d" "$here/images"
  echo "$1 $2" >>"$here/images"
}
case "$*" in
  login*) cat >/dev/null ;;
  "buildx inspect"*) exit 1 ;;
  "buildx create"*) ;;
  "buildx build"*)
    if [[ -s $here/other ]]; then cat "$here/other" >>"$here/images"; : >"$here/other"; fi
    for tag in "${tags[@]}"; do take "$tag" "sha256:$(echo "$*" | sha256sum | cut -c1-64)"; done ;;
  "buildx imagetools create"*) take "${tags[0]}" "$(grep "^${last#*/} " "$here/images" | cut -d' ' -f2)" ;;
  "buildx imagetools inspect"*) name=${4#*/}; grep "^$name " "$here/images" | cut -d' ' -f2 | grep . || exit 1 ;;
  *) exit 1 ;;
esac
`

const fakeGit = `#!/usr/bin/env bash
case "$*" in *--short=12*) cut -c1-12 "$(dirname "$0")/commit" ;; *rev-parse*) cat "$(dirname "$0")/commit" ;; esac
`

const fakeTofu = `#!/usr/bin/env bash
here=$(dirname "$0")
echo "tofu $*" >>"$here/log"
case "$*" in
  *"output -raw deployment_test_header") cat "$here/header" ;;
  *"output -raw "*) echo "the-${!#}" ;;
  *" show "*) printf 'a ~~~ block\nPlan: 1 to add, 2 to change, 0 to destroy.\n' ;;
esac
`

const fakeStack = `#!/usr/bin/env bash
bin=$(cat "$(dirname "$0")/bin")
echo "stack $* YES=$YES" >>"$bin/log"
cat "$(dirname "$0")/examples/complete/images.auto.tfvars.json" "$(dirname "$0")/examples/complete/backend_override.tf" >>"$bin/log" 2>/dev/null
case $1 in
  up) for ((i = 0; i < 100; i++)); do [[ -s $bin/stages ]] || break; sleep 0.1; done; exit "$(cat "$bin/up")" ;;
  gate) : >"$bin/stages"; exit "$(cat "$bin/gate")" ;;
esac
`

const fakeGH = `#!/usr/bin/env bash
here=$(dirname "$0")
echo "gh $*" >>"$here/log"
case "$*" in
  "release view"*) grep . "$here/release" || exit 1 ;;
  "release create"*) echo true >"$here/release" ;;
  "release edit"*--draft=false*) echo false >"$here/release" ;;
esac
`

func newCloud(t *testing.T) *cloud {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil || runtime.GOOS != "linux" {
		t.Skip("these scripts run on Linux runners alone")
	}
	c := &cloud{t.TempDir(), t.TempDir()}
	programs := map[string]string{"aws": fakeAWS, "docker": fakeDocker, "git": fakeGit, "tofu": fakeTofu, "gh": fakeGH, "../stack": fakeStack}
	if err := os.MkdirAll(filepath.Join(c.root, "infra/examples/complete"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(c.root, ".github/scripts"), os.DirFS(".github/scripts")); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		path := filepath.Join(c.bin, name)
		if name == "../stack" {
			path = filepath.Join(c.root, "infra/stack")
		}
		if err := os.WriteFile(path, []byte(programs[name]), 0o700); err != nil { // #nosec: it is a program
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{"images": "", "other": "", "log": "", "stages": "", "header": "", "up": "0\n", "gate": "0\n", "release": "", "commit": strings.Repeat("0123456789", 4) + "\n"} {
		c.set(t, name, content)
	}
	if err := os.WriteFile(filepath.Join(c.root, "infra/bin"), []byte(c.bin), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cloud) set(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.bin, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (c *cloud) get(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.bin, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// run runs a script of .github/scripts and returns what it wrote, its exit code, and the calls that it made.
func (c *cloud) run(t *testing.T, script string, args ...string) (out string, code int, calls string) {
	t.Helper()
	c.set(t, "log", "")
	cmd := exec.CommandContext(t.Context(), filepath.Join(c.root, ".github/scripts", script), args...)
	cmd.Env = append(os.Environ(), "PATH="+c.bin+":"+os.Getenv("PATH"), "AWS_REGION=us-east-1", "PREFIX=p", "EXAMPLE=complete", "STATE_BUCKET=states", "POLL=0.1",
		"GITHUB_STEP_SUMMARY="+filepath.Join(c.bin, "summary"), "GITHUB_OUTPUT="+filepath.Join(c.bin, "output"), "GITHUB_REPOSITORY=Owner/Repo", "GITHUB_ACTOR=somebody", "TOKEN=t", "GH_TOKEN=t")
	text, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(text), cmd.ProcessState.ExitCode(), c.get(t, "log")
}

// A tag of a commit cannot be pushed twice, and a workflow can be run again.
func TestImagesArePushedOnce(t *testing.T) {
	c := newCloud(t)
	out, code, calls := c.run(t, "push-images.sh")
	images := c.get(t, "images")
	for _, want := range []string{"p-app:012345678901 ", "p-app:012345678901-arm64 ", "p-app:dev ", "p-loadgen:012345678901 ", "p-loadgen:012345678901-arm64 ", "p-loadgen:dev "} {
		if !strings.Contains(images, want) {
			t.Errorf("no %s in\n%s%s", want, images, out)
		}
	}
	for _, want := range []string{"--platform linux/amd64,linux/arm64", "--sbom=true", "--provenance=mode=max", "REVISION=" + strings.Repeat("0123456789", 4), "Dockerfile.server", "Dockerfile.loadgen",
		"123456789012.dkr.ecr.us-east-1.amazonaws.com/p-app:012345678901"} {
		if !strings.Contains(calls, want) {
			t.Errorf("no %s in\n%s", want, calls)
		}
	}
	if code != 0 {
		t.Fatalf("exit %d\n%s", code, out)
	}
	if out, code, calls = c.run(t, "push-images.sh"); code != 0 || strings.Contains(calls, "buildx build") || strings.Contains(calls, "imagetools") || c.get(t, "images") != images {
		t.Errorf("once more: exit %d\n%s%s", code, calls, out)
	}

	// The next commit moves dev, and the first keeps its tags.
	c.set(t, "commit", strings.Repeat("a", 40)+"\n")
	if out, code, _ = c.run(t, "push-images.sh"); code != 0 {
		t.Fatalf("the next: exit %d\n%s", code, out)
	}
	tags := map[string]string{}
	for line := range strings.Lines(c.get(t, "images")) {
		name, digest, _ := strings.Cut(strings.TrimSpace(line), " ")
		tags[name] = digest
	}
	if tags["p-app:dev"] != tags["p-app:aaaaaaaaaaaa"] || tags["p-app:012345678901"] == tags["p-app:dev"] || len(tags) != 10 {
		t.Errorf("tags are %v", tags)
	}

	// Another run of the same commit was faster: its image stands, and this one goes on.
	c.set(t, "commit", strings.Repeat("b", 40)+"\n")
	c.set(t, "other", "p-app:bbbbbbbbbbbb sha256:"+strings.Repeat("9", 64)+"\n")
	if out, code, _ = c.run(t, "push-images.sh"); code != 0 || !strings.Contains(out, "was pushed by another run meanwhile") || !strings.Contains(c.get(t, "images"), "p-app:dev sha256:9999") {
		t.Errorf("a race: exit %d\n%s%s", code, out, c.get(t, "images"))
	}
}

func TestAPlanOfAPullRequestKeepsWhatRuns(t *testing.T) {
	c := newCloud(t)
	digest := "sha256:" + strings.Repeat("1", 64)
	c.set(t, "images", "p-app:dev "+digest+"\np-loadgen:dev "+digest+"\np-collector:v1 "+digest+"\n")
	out, code, calls := c.run(t, "deploy.sh", "plan")
	summary := c.get(t, "summary")
	if code != 0 || strings.Contains(calls, " apply ") || !strings.Contains(summary, "Plan: 1 to add, 2 to change, 0 to destroy.") || strings.Count(summary, "~~~") != 2 {
		t.Errorf("exit %d\n%s%s%s", code, out, calls, summary)
	}
	example := filepath.Join(c.root, "infra/examples/complete")
	images, _ := os.ReadFile(filepath.Join(example, "images.auto.tfvars.json"))
	if n := strings.Count(string(images), "@"+digest); n != 3 || !strings.Contains(string(images), `"collector_image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/p-collector@`) {
		t.Errorf("images are %s", images)
	}
	backend, _ := os.ReadFile(filepath.Join(example, "backend_override.tf"))
	if !strings.Contains(string(backend), `bucket       = "states"`) || !strings.Contains(string(backend), `key          = "complete.tfstate"`) {
		t.Errorf("the backend is %s", backend)
	}

	// Before the first push there is no service to be kept.
	c = newCloud(t)
	if out, code, _ = c.run(t, "deploy.sh", "plan"); code != 0 || !strings.Contains(out, "no images yet") {
		t.Errorf("without images: exit %d\n%s", code, out)
	}
	if out, code, _ = c.run(t, "deploy.sh", "destroy"); code != 2 || !strings.Contains(out, "want plan or apply") {
		t.Errorf("another command: exit %d\n%s", code, out)
	}
}

func TestACanaryIsGatedWhenItCanBeReachedAndRolledBackWhenItFails(t *testing.T) {
	for _, row := range []struct {
		why, header, stages, gate, up string
		code                          int
		gated                         bool
	}{
		{"no canary: nothing to gate", "", "BAKE_TIME\n", "0", "0", 0, false},
		{"passes, once the new version answers", "X-Loadgen-Test: p", "SCALE_UP\nTEST_TRAFFIC_SHIFT\nBAKE_TIME\n", "0", "0", 0, true},
		{"fails, and the deployment with it", "X-Loadgen-Test: p", "POST_TEST_TRAFFIC_SHIFT\n", "99", "1", 99, true},
		{"nothing was deployed", "X-Loadgen-Test: p", "", "0", "0", 0, false},
		{"the apply fails before", "X-Loadgen-Test: p", "", "0", "1", 1, false},
	} {
		c := newCloud(t)
		c.set(t, "header", row.header)
		c.set(t, "stages", row.stages)
		c.set(t, "gate", row.gate)
		c.set(t, "up", row.up)
		if row.header == "" {
			c.set(t, "stages", "")
		}
		out, code, calls := c.run(t, "deploy.sh", "apply")
		if code != row.code || strings.Contains(calls, "stack gate EXAMPLE=complete YES=1") != row.gated || !strings.Contains(calls, "stack up EXAMPLE=complete YES=1") {
			t.Errorf("%s: exit %d\n%s%s", row.why, code, out, calls)
		}
		if before, _, ok := strings.Cut(calls, "stack gate"); ok && strings.Count(before, "describe-service-deployments") != strings.Count(row.stages, "\n") {
			t.Errorf("%s: gated at another stage:\n%s", row.why, before)
		}
	}
}

func TestAReleaseThatIsRunAgainChangesNothing(t *testing.T) {
	c := newCloud(t)
	out, code, calls := c.run(t, "release-image.sh", "loadgen", "v1.2.3")
	output := c.get(t, "output")
	if code != 0 || !strings.Contains(output, "name=ghcr.io/owner/repo/loadgen\ndigest=sha256:") || !strings.Contains(calls, "--platform linux/amd64,linux/arm64") {
		t.Fatalf("exit %d\n%s%s%s", code, out, calls, output)
	}
	if out, code, calls = c.run(t, "release-image.sh", "loadgen", "v1.2.3"); code != 0 || strings.Contains(calls, "buildx build") {
		t.Errorf("once more: exit %d\n%s%s", code, out, calls)
	}
	for _, args := range [][]string{{"other", "v1.2.3"}, {"loadgen", "main"}, {"loadgen"}} {
		if _, code, _ := c.run(t, "release-image.sh", args...); code != 2 {
			t.Errorf("%q: exit %d", args, code)
		}
	}

	dist := t.TempDir()
	for name, text := range map[string]string{"a.tar.gz": "a", "SHA256SUMS": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a.tar.gz\n"} {
		if err := os.WriteFile(filepath.Join(dist, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, code, calls = c.run(t, "publish.sh", "v1.2.3-rc.1", dist); code != 0 || !strings.Contains(calls, "--draft --verify-tag") || !strings.Contains(calls, "--prerelease") || !strings.Contains(calls, "SHA256SUMS") || !strings.HasSuffix(calls, "--draft=false\n") {
		t.Fatalf("exit %d\n%s%s", code, out, calls)
	}
	if out, code, calls = c.run(t, "publish.sh", "v1.2.3-rc.1", dist); code != 0 || strings.Contains(calls, "upload") || !strings.Contains(out, "is out") {
		t.Errorf("once more: exit %d\n%s%s", code, out, calls)
	}
	c.set(t, "release", "true\n") // a draft: the upload was cut
	if out, code, calls = c.run(t, "publish.sh", "v1.2.3", dist); code != 0 || strings.Contains(calls, "create") || !strings.Contains(calls, "upload") {
		t.Errorf("a draft: exit %d\n%s%s", code, out, calls)
	}
	if err := os.WriteFile(filepath.Join(dist, "a.tar.gz"), []byte("b"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code, calls = c.run(t, "publish.sh", "v1.2.3", dist); code == 0 || strings.Contains(calls, "upload") {
		t.Errorf("another file than its sum says: exit %d\n%s%s", code, out, calls)
	}
}
