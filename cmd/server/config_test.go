package main

import (
	"errors"
	"flag"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"scalableappbackend/server"
)

// environment is a lookup over pairs NAME=VALUE.
func environment(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, p := range pairs {
			if k, v, _ := strings.Cut(p, "="); k == name {
				return v, true
			}
		}
		return "", false
	}
}

func TestAFlagWinsOverTheEnvironmentAndThatOverTheDefault(t *testing.T) {
	for _, tt := range []struct {
		args  string
		env   []string
		addr  string
		delay time.Duration
		grace time.Duration
		why   string
	}{
		{"", nil, ":8080", 5 * time.Second, server.DefaultGrace, "defaults"},
		{"", []string{"SERVER_ADDR=:80", "SERVER_DRAIN_DELAY=1m", "SERVER_SHUTDOWN_GRACE=3s"}, ":80", time.Minute, 3 * time.Second, "environment"},
		{"-addr :81 -drain-delay 2s -shutdown-grace 1s", []string{"SERVER_ADDR=:80", "SERVER_DRAIN_DELAY=1m", "SERVER_SHUTDOWN_GRACE=3s"}, ":81", 2 * time.Second, time.Second, "flags"},
		{"--addr=[::1]:9", []string{"SERVER_DRAIN_DELAY=0"}, "[::1]:9", 0, server.DefaultGrace, "one of each; two dashes; 0 is a value"},
		{"-drain-delay 0s", []string{"SERVER_DRAIN_DELAY=nonsense"}, ":8080", 0, server.DefaultGrace, "what a flag silences is not read"},
		{"", []string{"SERVER_ADDR=", "SERVER_DRAIN_DELAY="}, ":8080", 5 * time.Second, server.DefaultGrace, "empty variables count as not set"},
		{"-shutdown-grace 0", nil, ":8080", 5 * time.Second, -1, "no grace is less than none asked for"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			cfg, err := parse(strings.Fields(tt.args), environment(tt.env...))
			if err != nil {
				t.Fatal(err)
			}
			if cfg.addr.text != tt.addr || cfg.drainDelay != tt.delay || cfg.grace != tt.grace {
				t.Errorf("%s %s %s, want %s %s %s", cfg.addr.text, cfg.drainDelay, cfg.grace, tt.addr, tt.delay, tt.grace)
			}
		})
	}
}

func TestHealthcheckTakesTheServersAddress(t *testing.T) {
	for _, tt := range []struct{ addr, dial string }{
		{":80", "127.0.0.1:80"},
		{"0.0.0.0:8080", "127.0.0.1:8080"},
		{"[::]:8080", "127.0.0.1:8080"},
		{"[::1]:8080", "[::1]:8080"},
		{"127.0.0.2:81", "127.0.0.2:81"},
		{"localhost:http", "localhost:80"},
	} {
		cfg, err := parse([]string{"healthcheck"}, environment("SERVER_ADDR="+tt.addr))
		if err != nil {
			t.Errorf("%s: %v", tt.addr, err)
			continue
		}
		if got := net.JoinHostPort(cfg.addr.dialHost(), strconv.Itoa(cfg.addr.port)); !cfg.healthcheck || got != tt.dial {
			t.Errorf("%s: healthcheck %t asks %s, want %s", tt.addr, cfg.healthcheck, got, tt.dial)
		}
	}
}

func TestAnAddressThatCannotBeListenedOnIsRefused(t *testing.T) {
	for _, text := range []string{"80", ":", "", "localhost", "localhost:", ":65536", ":-1", ":nosuchservice", "::1:80", "http://x:80", "[::1]80"} {
		_, err := parse([]string{"-addr", text}, environment())
		if err == nil {
			t.Errorf("-addr %q was accepted", text)
			continue
		}
		if want := "-addr " + strconv.Quote(text) + ": "; !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "want ") {
			t.Errorf("%v: want %s… and what is accepted", err, want)
		}
	}
}

func TestHelpNamesEveryFlagAndItsVariable(t *testing.T) {
	if _, err := parse([]string{"-h"}, environment()); !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("-h: %v, want %v", err, flag.ErrHelp)
	}
	// A flag that exists is one that parse does not call undefined; the list is what usage's table says.
	var listed []string
	for line := range strings.Lines(usage) {
		if strings.HasPrefix(line, "-") {
			listed = append(listed, strings.Fields(line)[0])
		}
	}
	if want := []string{"-addr", "-drain-delay", "-shutdown-grace", "-version"}; !slices.Equal(listed, want) {
		t.Errorf("usage lists %q, want %q", listed, want)
	}
	for _, value := range []string{defaultAddr, defaultDrainDelay.String(), server.DefaultGrace.String(),
		"SERVER_ADDR", "SERVER_DRAIN_DELAY", "SERVER_SHUTDOWN_GRACE", "healthcheck"} {
		if !strings.Contains(usage, value) {
			t.Errorf("usage does not name %s", value)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(":8080", "5s")
	f.Add("[::1%lo]:http", "1h30m")
	f.Add("0.0.0.0:0", "-1ns")
	f.Add("a:b:c", "")
	f.Add("\n:80", "5 s")
	f.Fuzz(func(t *testing.T, addr, delay string) {
		cfg, err := parse([]string{"-addr", addr, "-drain-delay", delay}, environment())
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
			return
		}
		if cfg.drainDelay < 0 || cfg.addr.port < 0 || cfg.addr.port > 65535 {
			t.Errorf("-addr %q -drain-delay %q gave port %d, delay %s", addr, delay, cfg.addr.port, cfg.drainDelay)
		}
		again := net.JoinHostPort(cfg.addr.host, strconv.Itoa(cfg.addr.port))
		if a, err := parseAddr("-addr", again); err != nil || a.host != cfg.addr.host || a.port != cfg.addr.port {
			t.Errorf("-addr %q became %q, which reads as %+v, %v", addr, again, a, err)
		}
	})
}
