package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"scalableappbackend/server"
)

// replica is a program that scripts give to `lab`:
//
//	api      the project's API on $PORT
//	mortal   that, until it dies 2 s after it has begun
//	dies     at once
//	deaf     does not listen
//
// Each leaves a file pid-PID in $REPLICAS, so that a script can look whether it is gone.
func replica() {
	name := filepath.Join(os.Getenv("REPLICAS"), "pid-"+strconv.Itoa(os.Getpid()))
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		panic(err)
	}
	switch os.Args[1] {
	case "dies":
		fmt.Println("no database")
		os.Exit(3)
	case "deaf":
		_ = os.WriteFile(filepath.Join(os.Getenv("REPLICAS"), "deaf"), []byte("started"), 0o644)
		select {}
	case "mortal":
		time.AfterFunc(2*time.Second, func() {
			fmt.Println("out of memory")
			os.Exit(4)
		})
	}
	instance := strconv.Itoa(os.Getpid())
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), server.New(server.Options{Instance: instance})))
}

func noReplica(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, !neg && len(args) == 0, "none")
	names, err := filepath.Glob(filepath.Join(ts.Getenv("REPLICAS"), "pid-*"))
	ts.Check(err)
	if len(names) == 0 {
		ts.Fatalf("no replica was ever started")
	}
	for _, name := range names {
		pid, err := strconv.Atoi(filepath.Base(name)[len("pid-"):])
		ts.Check(err)
		p, err := os.FindProcess(pid)
		ts.Check(err)
		if err := p.Signal(syscall.Signal(0)); !errors.Is(err, os.ErrProcessDone) {
			ts.Fatalf("replica %d is left: %v", pid, err)
		}
	}
}
