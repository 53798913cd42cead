package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// tool is a load generator and how it is told what to do.
type tool struct {
	name    string
	binary  string
	install []string // a command that puts the binary into $BIN or onto the PATH; none: it cannot be installed for the user
	// full is its command line for the URL at full speed over connections; nil: it is not run so.
	full func(url string, connections int, d time.Duration) []string
	// paced is its command line for the reference profile: users with 50 to 200 ms of think time, two endpoints.
	paced func(url string, users int, d time.Duration, folder string) []string
	// files are written beside the command for paced: names and contents.
	files map[string]string
	env   []string
	// version is what asks it for its version; nil: it does not say.
	version []string
	// accepts are exit codes, beside 0, of a run that was made whole.
	accepts []int
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

func whole(d time.Duration) string { return seconds(d) + "s" }

// barest is no load generator: what keeping the pace costs at the least. See bareLoop.
const barest = "bare epoll loop"

// tools are all that are compared, loadgen first.
func tools(loadgen, self string) []tool {
	return []tool{
		{
			name: "loadgen bench", binary: loadgen, accepts: unfit,
			full: func(url string, c int, d time.Duration) []string {
				return []string{"bench", url, "-c", strconv.Itoa(c), "-z", whole(d), "--out", "none", "--headless"}
			},
		},
		{
			name: "loadgen run", binary: loadgen, accepts: unfit,
			full: func(url string, c int, d time.Duration) []string {
				return []string{"run", url, "-u", strconv.Itoa(c), "-r", "1000000", "--think", "0", "-t", whole(d), "--out", "none", "--headless"}
			},
			paced: func(url string, users int, d time.Duration, _ string) []string {
				return []string{"run", "--host", url, "-u", strconv.Itoa(users), "-r", strconv.Itoa(users), "-t", whole(d), "--out", "none", "--headless"}
			},
		},
		{
			name: barest, binary: self,
			paced: func(url string, users int, d time.Duration, _ string) []string {
				return []string{"-floor", url, "-c", strconv.Itoa(users), "-d", whole(d)}
			},
		},
		{
			name: "wrk", binary: "wrk", version: []string{"-v"}, install: []string{"apt-get", "install", "-y", "wrk"},
			full: func(url string, c int, d time.Duration) []string {
				return []string{"-t1", "-c" + strconv.Itoa(c), "-d" + seconds(d), "--latency", url}
			},
		},
		{
			name: "bombardier (fasthttp)", binary: "bombardier", version: []string{"--version"}, install: goInstall("github.com/codesenberg/bombardier@v1.2.6"),
			full: func(url string, c int, d time.Duration) []string {
				return []string{"-c", strconv.Itoa(c), "-d", whole(d), "-l", "--print", "r", url}
			},
		},
		{
			name: "bombardier (net/http)", binary: "bombardier", version: []string{"--version"}, install: goInstall("github.com/codesenberg/bombardier@v1.2.6"),
			full: func(url string, c int, d time.Duration) []string {
				return []string{"--http1", "-c", strconv.Itoa(c), "-d", whole(d), "-l", "--print", "r", url}
			},
		},
		{
			name: "oha", binary: "oha", version: []string{"--version"}, install: []string{"cargo", "install", "--locked", "--root", "$BIN/..", "--target-dir", "$BIN/../target", "oha@1.16.0"},
			full: func(url string, c int, d time.Duration) []string {
				return []string{"--no-tui", "-c", strconv.Itoa(c), "-z", whole(d), url}
			},
		},
		{
			name: "hey", binary: "hey", install: goInstall("github.com/rakyll/hey@v0.1.5"),
			full: func(url string, c int, d time.Duration) []string {
				return []string{"-c", strconv.Itoa(c), "-z", whole(d), url}
			},
		},
		{
			name: "vegeta", binary: "vegeta", version: []string{"-version"}, install: goInstall("github.com/tsenart/vegeta/v12@v12.13.0"),
			full: func(url string, c int, d time.Duration) []string {
				n := strconv.Itoa(c)
				return []string{"attack", "-rate", "0", "-max-workers", n, "-workers", n, "-connections", n, "-duration", whole(d), "-targets", "targets.txt", "-output", "vegeta.bin"}
			},
			files: map[string]string{"targets.txt": "GET $URL\n"},
		},
		{
			name: "k6", binary: "k6", version: []string{"version"}, install: goInstall("go.k6.io/k6@v1.8.1"),
			full: func(url string, c int, d time.Duration) []string {
				return []string{"run", "--quiet", "--no-usage-report", "--vus", strconv.Itoa(c), "--duration", whole(d), "full.js"}
			},
			paced: func(url string, users int, d time.Duration, _ string) []string {
				return []string{"run", "--quiet", "--no-usage-report", "--vus", strconv.Itoa(users), "--duration", whole(d), "paced.js"}
			},
			files: map[string]string{
				"full.js":  "import http from 'k6/http';\nexport default function () { http.get('$URL'); }\n",
				"paced.js": "import http from 'k6/http';\nimport { sleep } from 'k6';\nexport default function () {\n  http.get(Math.random() < 0.5 ? '$URL' : '$URL' + 'health');\n  sleep(0.05 + Math.random() * 0.15);\n}\n",
			},
		},
		{
			name: "Locust FastHttpUser", binary: "locust", version: []string{"--version"}, install: []string{"python3", "-m", "pip", "install", "--target", "$BIN/../locust", "locust==2.47.0"},
			full: locust("full.py"),
			paced: func(url string, users int, d time.Duration, _ string) []string {
				return locust("paced.py")(url, users, d)
			},
			files: map[string]string{
				"full.py":  locustfile("constant(0)"),
				"paced.py": locustfile("between(0.05, 0.2)"),
			},
		},
	}
}

// unfit is loadgen's exit code when its generator used all of the CPU that it was given, which is what is measured here.
var unfit = []int{96}

func goInstall(module string) []string { return []string{"env", "GOBIN=$BIN", "go", "install", module} }

func locust(file string) func(string, int, time.Duration) []string {
	return func(url string, users int, d time.Duration) []string {
		return []string{"-f", file, "--headless", "--only-summary", "-u", strconv.Itoa(users), "-r", strconv.Itoa(users), "-t", whole(d), "--host", strings.TrimSuffix(url, "/")}
	}
}

func locustfile(wait string) string {
	return `from locust import FastHttpUser, task, between, constant

class User(FastHttpUser):
    wait_time = ` + wait + `

    @task
    def root(self):
        self.client.get("/")

    @task
    def health(self):
        self.client.get("/health")
`
}

// environ is what a tool runs with: one processor for those of Go, its own folder for that of Python.
func (t *tool) environ() []string {
	return append(os.Environ(), append([]string{"GOMAXPROCS=1", "PYTHONPATH=" + filepath.Join(filepath.Dir(t.binary), "..")}, t.env...)...)
}

// says is what a tool says of its version.
func (t *tool) says() string {
	if t.version == nil {
		return ""
	}
	cmd := exec.Command(t.binary, t.version...)
	cmd.Env = t.environ()
	out, _ := cmd.CombinedOutput() // wrk says it and fails
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); strings.ContainsAny(line, "0123456789") {
			return installedAt.ReplaceAllString(line, "")
		}
	}
	return ""
}

// installedAt is where Locust says that it is installed, which is nobody's business but this machine's.
var installedAt = regexp.MustCompile(` from /\S+`)

// find returns the path of a tool's binary, which it installs into bin when that is wanted.
func (t *tool) find(bin string, install bool) (string, error) {
	look := func() (string, bool) {
		for _, at := range []string{filepath.Join(bin, t.binary), filepath.Join(bin, "..", "locust", "bin", t.binary)} {
			if info, err := os.Stat(at); err == nil && !info.IsDir() {
				return at, true
			}
		}
		at, err := exec.LookPath(t.binary)
		return at, err == nil
	}
	if at, ok := look(); ok {
		return at, nil
	}
	if !install || t.install == nil {
		return "", fmt.Errorf("%s is not installed", t.binary)
	}
	words := make([]string, len(t.install))
	for i, w := range t.install {
		words[i] = strings.ReplaceAll(w, "$BIN", bin)
	}
	fmt.Fprintf(os.Stderr, "installing %s: %s\n", t.binary, strings.Join(words, " "))
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s could not be installed: %v: %s", t.binary, err, last(string(out)))
	}
	if at, ok := look(); ok {
		return at, nil
	}
	return "", fmt.Errorf("%s was installed and is not found", t.binary)
}

// last is the last line of a text.
func last(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
