package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"

	"scalableappbackend/server"
)

const (
	exitOK = iota
	exitError
	exitUsage
)

// env is what the process has of the world; a test gives its own.
type env struct {
	stdout, stderr io.Writer
	lookup         func(string) (string, bool)
	hostname       func() (string, error)
	signals        <-chan os.Signal
}

func run(args []string, env env) int {
	cfg, err := parse(args, env.lookup)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(env.stdout, usage)
		return exitOK
	case err != nil:
		fmt.Fprintln(env.stderr, "server:", err)
		return exitUsage
	case cfg.version:
		fmt.Fprintln(env.stdout, "server", versionOf(version, debug.ReadBuildInfo))
		return exitOK
	case cfg.healthcheck:
		err = healthcheck(context.Background(), cfg.addr)
	default:
		err = serve(cfg, env)
	}
	if err != nil {
		fmt.Fprintln(env.stderr, "server:", err)
		return exitError
	}
	return exitOK
}

// serve returns nil after a clean drain only.
func serve(cfg config, env env) error {
	log := slog.New(slog.NewJSONHandler(env.stderr, nil))
	log.Info("starting", "version", versionOf(version, debug.ReadBuildInfo))
	// Listening comes first: a port that is refused is said at once, and connections made during the look-up wait.
	ln, err := listen(cfg.addr)
	if err != nil {
		return err
	}
	name, err := instanceName(context.Background(), env.lookup, env.hostname)
	if err != nil {
		log.Warn("instance name is second best", "instance", name, "error", err.Error())
	}
	wrap, endTraces := traced(cfg.traces, versionOf(version, debug.ReadBuildInfo), name)
	srv := server.New(server.Options{
		Instance: name, Wrap: wrap, DrainDelay: cfg.drainDelay, Grace: cfg.grace, Log: log,
	})
	patience := tracesTimeout
	defer func() {
		if err := endTraces(patience); err != nil {
			log.Warn("spans were lost", "error", err.Error())
		}
	}()

	ctx, drain := context.WithCancel(context.Background())
	defer drain()
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, ln) }()
	for signals := 0; ; {
		select {
		case err := <-served:
			return err
		case sig := <-env.signals:
			if signals++; signals > 1 {
				srv.Close()
				patience = 0
				return fmt.Errorf("a second signal (%s) ended the drain", sig)
			}
			log.Info("signal", "signal", sig.String())
			drain()
		}
	}
}
