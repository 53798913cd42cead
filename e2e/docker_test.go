//go:build e2e

// Package e2e runs what users run: the images, as containers, with real signals and real sockets. It sends traffic to
// loopback only: --network host, or the network namespace of another container.
//
//	go test -tags e2e ./e2e
//
// needs a Docker engine with BuildKit and the Dockerfiles' base image. Without an engine the tests are skipped; with
// CI=true they fail.
package e2e

import (
	"compress/gzip"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	// nonRoot is the user of both images.
	nonRoot = "65532"
	// maxServerBytes and maxLoadgenBytes are what the images may take; of loadgen's 24 MB the SDK for AWS's APIs is 10.
	maxServerBytes  = 20 << 20
	maxLoadgenBytes = 26 << 20
	// maxPulledBytes is what a task may have to pull of loadgen's image, packed as registries keep it.
	maxPulledBytes = 12 << 20
)

// hardened is how the images are meant to run.
var hardened = []string{"--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"}

func TestServerImageIsSmallLabelledAndTakesFewModules(t *testing.T) {
	image := buildImage(t, "server", "--build-arg", "VERSION=v1.2.3-e2e", "--build-arg", "REVISION=0123abcd")

	size := imageBytes(t, image)
	t.Logf("server image: %.1f MB", float64(size)/1e6)
	if size > maxServerBytes {
		t.Errorf("image has %d bytes, want at most %d", size, maxServerBytes)
	}
	var config struct {
		User, StopSignal string
		Env, Entrypoint  []string
		ExposedPorts     map[string]any
		Labels           map[string]string
		Healthcheck      struct{ Test []string }
	}
	inspect(t, image, "{{json .Config}}", &config)
	if user, _, _ := strings.Cut(config.User, ":"); user != nonRoot {
		t.Errorf("user %q, want the number %s", config.User, nonRoot)
	}
	if config.StopSignal != "SIGTERM" {
		t.Errorf("stop signal %q", config.StopSignal)
	}
	if got := fmt.Sprint(config.Entrypoint, config.Healthcheck.Test); got != "[/server] [CMD /server healthcheck]" {
		t.Errorf("entry point and health check %s", got)
	}
	if _, ok := config.ExposedPorts["80/tcp"]; !ok {
		t.Errorf("exposed ports %v, want 80/tcp", config.ExposedPorts)
	}
	for label, want := range map[string]string{"version": "v1.2.3-e2e", "revision": "0123abcd"} {
		if got := config.Labels["org.opencontainers.image."+label]; got != want {
			t.Errorf("label %s %q, want %q", label, got, want)
		}
	}
	for _, label := range []string{"title", "description"} {
		if config.Labels["org.opencontainers.image."+label] == "" {
			t.Errorf("no label %s", label)
		}
	}

	// A program without network or files: what -version says was linked in, and the certificates are there to be read.
	if got := docker(t, "run", "--rm", "--network", "none", image, "-version"); !strings.HasPrefix(got, "server v1.2.3-e2e (") {
		t.Errorf("-version: %q", got)
	}
	c := create(t, image, nil)
	// Of all that go.mod lists, the server takes what it sends spans with.
	program := filepath.Join(t.TempDir(), "server")
	docker(t, "cp", c.id+":/server", program)
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var modules []string
	for _, m := range info.Deps {
		modules = append(modules, m.Path)
	}
	if want := []string{"go.opentelemetry.io/proto/slim/otlp", "golang.org/x/net", "golang.org/x/text", "google.golang.org/protobuf"}; !slices.Equal(modules, want) {
		t.Errorf("modules %q, want %q", modules, want)
	}
	if certs := docker(t, "cp", c.id+":/etc/ssl/certs/ca-certificates.crt", "-"); !strings.Contains(certs, "BEGIN CERTIFICATE") {
		t.Errorf("no CA certificates: %.200q", certs)
	}
}

func TestServerContainerIsHealthyOnPort80WithoutRootAndWithoutAWritableFile(t *testing.T) {
	image := buildImage(t, "server")
	c := start(t, image, append(hardened, "--network", "none", "--hostname", "replica-a", "--env", "SERVER_DRAIN_DELAY=1s"))
	c.awaitHealth("healthy")

	// docker top wants the pid column; the fields are PID UID and one process's values.
	if top := strings.Fields(docker(t, "top", c.id, "-eo", "pid,uid")); len(top) != 4 || top[3] != nonRoot {
		t.Errorf("runs as %q, want user %s", top, nonRoot)
	}
	serving := c.logged("serving")
	if serving["instance"] != "replica-a" {
		t.Errorf("instance %v, want the container's host name", serving["instance"])
	}
	if addr, _ := serving["addr"].(string); !strings.HasSuffix(addr, ":80") {
		t.Errorf("serves on %q, want port 80", addr)
	}
	if out, code := tryDocker("exec", c.id, "/server", "healthcheck"); code != 0 || out != "" {
		t.Errorf("healthcheck: exit %d, %q", code, out)
	}
	if code := c.stop(); code != 0 {
		t.Errorf("docker stop: exit %d, want 0", code)
	}
	c.logged("stopped")
}

func TestServerContainerDrainsOnDockerStop(t *testing.T) {
	image := buildImage(t, "server")
	metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v4/c0ffee/task" {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, `{"TaskARN":"arn:aws:ecs:us-east-1:111122223333:task/dev/158d1c8083dd49d6b527399fd6414f5c"}`)
	}))
	defer metadata.Close()
	addr := freeAddr(t)
	c := start(t, image, append(hardened, "--network", "host", "--env", "SERVER_ADDR="+addr, "--env", "SERVER_DRAIN_DELAY=3s",
		"--env", "ECS_CONTAINER_METADATA_URI_V4="+metadata.URL+"/v4/c0ffee"))
	c.awaitHealth("healthy")
	url := "http://" + addr
	for _, path := range []string{"/", "/health"} {
		status, header, body := get(t, url+path)
		if status != 200 || !json.Valid([]byte(body)) {
			t.Errorf("%s: %d %q", path, status, body)
		}
		if got, want := header.Get("X-Served-By"), "158d1c8083dd49d6b527399fd6414f5c"; got != want {
			t.Errorf("%s: X-Served-By %q, want the task's id %q", path, got, want)
		}
	}

	stopped := make(chan int, 1)
	go func() { stopped <- c.stop() }()
	eventually(t, 5*time.Second, "/health turns 503", func() bool {
		status, _, _ := get(t, url+"/health")
		return status == 503
	})
	if status, _, _ := get(t, url+"/"); status != 200 {
		t.Errorf("/ while /health is 503: %d, want 200", status)
	}
	if code := <-stopped; code != 0 {
		t.Errorf("docker stop: exit %d, want 0", code)
	}
	if conn, err := net.Dial("tcp", addr); err == nil {
		conn.Close()
		t.Error("connected after the end")
	}
}

func TestASecondSignalEndsTheServerThoughItIsProcessOne(t *testing.T) {
	image := buildImage(t, "server")
	c := start(t, image, append(hardened, "--network", "none", "--env", "SERVER_DRAIN_DELAY=1h"))
	c.logged("serving")
	docker(t, "kill", "--signal", "TERM", c.id)
	c.logged("draining")
	docker(t, "kill", "--signal", "TERM", c.id)
	if code := c.wait(); code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
}

func TestPort80OnTheHostsNetworkIsRefusedInOneLine(t *testing.T) {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if first, _ := strconv.Atoi(strings.TrimSpace(string(text))); err != nil || first <= 80 {
		t.Skipf("this host lets everybody listen on port 80 (%q, %v)", text, err)
	}
	image := buildImage(t, "server")
	c := start(t, image, append(hardened, "--network", "host"))
	if code := c.wait(); code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
	want := `server: SERVER_ADDR ":80": bind: permission denied: want the sysctl net.ipv4.ip_unprivileged_port_start=80 or lower, or another port, e.g. -addr :8080`
	lines := strings.Split(strings.TrimSpace(c.logs()), "\n")
	if got := lines[len(lines)-1]; got != want {
		t.Errorf("last line\n%s\nwant\n%s", got, want)
	}
}

// docker runs the client and returns what it wrote to stdout, trimmed; anything but success ends the test.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "docker", args...)
	cmd.Env = append(os.Environ(), "DOCKER_BUILDKIT=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// tryDocker is docker for clean-ups and for what may fail: stdout and stderr together, and the exit code.
func tryDocker(args ...string) (string, int) {
	cmd := exec.Command("docker", args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		return err.Error(), -1
	}
	return strings.TrimSpace(string(out)), cmd.ProcessState.ExitCode()
}

// needDocker skips the test where no engine answers. In CI that is a failure: a skipped test proves nothing.
func needDocker(t *testing.T) {
	t.Helper()
	if out, code := tryDocker("version", "--format", "{{.Server.Version}}"); code != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no Docker engine: %s", out)
		}
		t.Skipf("no Docker engine: %s", out)
	}
}

// buildImage builds Dockerfile.NAME at the repository's root and returns the image's tag. The image goes with the test;
// the builder's cache stays, so a second build of the same sources costs a fraction of a second.
func buildImage(t *testing.T, name string, flags ...string) string {
	t.Helper()
	needDocker(t)
	tag := "scalableappbackend-e2e-" + name
	args := append([]string{"build", "--quiet", "--file", "../Dockerfile." + name, "--tag", tag}, flags...)
	docker(t, append(args, "..")...)
	t.Cleanup(func() { tryDocker("rmi", tag) })
	return tag
}

func imageBytes(t *testing.T, image string) (size int64) {
	t.Helper()
	inspect(t, image, "{{json .Size}}", &size)
	return size
}

// pulledBytes is the size of an image with its layers packed.
func pulledBytes(t *testing.T, image string) int64 {
	t.Helper()
	save := exec.CommandContext(t.Context(), "docker", "save", image)
	layers, err := save.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := save.Start(); err != nil {
		t.Fatal(err)
	}
	var packed counter
	zip := gzip.NewWriter(&packed)
	if _, err := io.Copy(zip, layers); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(zip.Close(), save.Wait()); err != nil {
		t.Fatal(err)
	}
	return int64(packed)
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// inspect decodes one field of an image or a container.
func inspect(t *testing.T, what, format string, into any) {
	t.Helper()
	if out := docker(t, "inspect", "--format", format, what); json.Unmarshal([]byte(out), into) != nil {
		t.Fatalf("docker inspect %s: %s", what, out)
	}
}

// container is removed, volumes included, when its test ends; a failed test shows its output first.
type container struct {
	t  *testing.T
	id string
}

// create makes a container of image that is not started; flags are docker's, args the program's.
func create(t *testing.T, image string, flags []string, args ...string) *container {
	t.Helper()
	argv := append(append([]string{"create"}, flags...), image)
	c := &container{t, docker(t, append(argv, args...)...)}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("output of %s %q:\n%s", image, args, c.logs())
		}
		tryDocker("rm", "--force", "--volumes", c.id)
	})
	return c
}

// start creates a container and starts it.
func start(t *testing.T, image string, flags []string, args ...string) *container {
	t.Helper()
	c := create(t, image, flags, args...)
	docker(t, "start", c.id)
	return c
}

// logs is all that the container has written, stdout and stderr.
func (c *container) logs() string {
	out, _ := tryDocker("logs", c.id)
	return out
}

// logged waits until the container has logged a JSON line with this msg and returns it.
func (c *container) logged(msg string) (line map[string]any) {
	c.t.Helper()
	eventually(c.t, 10*time.Second, "log line "+msg, func() bool {
		for text := range strings.Lines(c.logs()) {
			line = nil
			if json.Unmarshal([]byte(text), &line) == nil && line["msg"] == msg {
				return true
			}
		}
		return false
	})
	return line
}

// awaitHealth waits for what Docker itself says of the container's health.
func (c *container) awaitHealth(want string) {
	c.t.Helper()
	eventually(c.t, 30*time.Second, "health "+want, func() bool {
		return docker(c.t, "inspect", "--format", "{{.State.Health.Status}}", c.id) == want
	})
}

// stop sends the image's stop signal and returns the exit code: 137 when Docker had to kill it after 30 s, as ECS would.
func (c *container) stop() int {
	tryDocker("stop", "--time", "30", c.id)
	return c.wait()
}

// wait waits for the end and returns the exit code; -1 when there is none within a minute.
func (c *container) wait() int {
	timeout := time.AfterFunc(time.Minute, func() { tryDocker("kill", c.id) })
	out, _ := tryDocker("wait", c.id)
	if !timeout.Stop() {
		return -1
	}
	code, err := strconv.Atoi(out)
	if err != nil {
		return -1
	}
	return code
}

// freeAddr is a loopback address with a port that was free a moment ago: for a program that cannot tell the port it got.
func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func get(t *testing.T, url string) (status int, header http.Header, body string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(b)
}

// eventually polls: containers and signals tell nobody when they are done.
func eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", within, what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
