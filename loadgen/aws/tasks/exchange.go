package tasks

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"scalableappbackend/loadgen/aws/store"
	"scalableappbackend/loadgen/plan"
)

// The keys of a run.
const (
	keyManifest = "run.json"
	keyLaunched = "tasks.json"
	keyStart    = "start.json"
	prefixReady = "ready/"
)

func keyFile(sha256 string) string { return "files/" + sha256 }
func keyShare(task int) string     { return "plans/" + strconv.Itoa(task) + ".json" }
func keyReady(task int) string     { return prefixReady + strconv.Itoa(task) }
func keyProgress(task int) string  { return "progress/" + strconv.Itoa(task) + ".json" }

// ResultPrefix is below what a task's result lies in a run, e.g. "tasks/3/": in a folder that has the task's own ID.
func ResultPrefix(task int) string { return "tasks/" + strconv.Itoa(task) + "/" }

// schema is that of the objects that launcher and tasks exchange. Both are of one version, or refuse each other.
const schema = "loadgen/tasks/v1"

// Manifest is run.json: what a run is, for whoever collects it.
type Manifest struct {
	Schema  string    `json:"schema"`
	ID      string    `json:"id"`
	Tasks   int       `json:"tasks"`
	Created time.Time `json:"created_at"`
	Version string    `json:"version,omitempty"` // of the launcher
	Plan    plan.Plan `json:"plan"`              // whole, without secrets
	Expect  []string  `json:"expect,omitempty"`
	// Files are the digests (SHA-256, in hex) of the files that the plan names, by the names that they have where it was launched.
	Files map[string]string `json:"files,omitempty"`
}

// Share is plans/I.json: what task I does.
type Share struct {
	Schema string    `json:"schema"`
	Run    string    `json:"run"`
	Task   int       `json:"task"`
	Tasks  int       `json:"tasks"`
	Plan   plan.Plan `json:"plan"`
	// Files are as in the Manifest.
	Files map[string]string `json:"files,omitempty"`
	// Offset is by how much later than the common start this task's clock reads 0: evenly spaced sends of several tasks fall
	// between each other then, and not on one another.
	Offset time.Duration `json:"offset_ns,omitempty"`
}

// Launched is tasks.json.
type Launched struct {
	Cluster string   `json:"cluster"`
	Region  string   `json:"region,omitempty"`
	ARNs    []string `json:"arns"` // of task I at I−1; empty: it was not started
}

// ready is ready/I.
type ready struct {
	Host string    `json:"host"`
	Now  time.Time `json:"now"` // the task's clock
}

// start is start.json.
type start struct {
	At time.Time `json:"start_at"`
}

// NotARun is that a URL has no run below it that was launched.
var errNotARun = errors.New("no run.json is there")

// maxDocument bounds what is read of an object, in bytes: a plan may hold bodies.
const maxDocument = 256 << 20

// put writes a document.
func put(ctx context.Context, s store.Objects, key string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return s.Put(ctx, key, bytes.NewReader(data))
}

// get reads a document; ok is false when it is not there.
func get(ctx context.Context, s store.Objects, key string, v any) (ok bool, err error) {
	data, err := store.Read(ctx, s, key, maxDocument)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("%s is not what a launcher or task of this version writes: %w", key, err)
	}
	return true, nil
}

// ReadManifest reads what a run is.
func ReadManifest(ctx context.Context, s store.Objects) (*Manifest, error) {
	var m Manifest
	ok, err := get(ctx, s, keyManifest, &m)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, errNotARun
	case m.Schema != schema || m.Tasks < 1:
		return nil, fmt.Errorf("%s has schema %q, want %s", keyManifest, m.Schema, schema)
	}
	return &m, nil
}

// NewID is the ID of a run that is launched at an instant: unique without coordination, and sorting by time.
func NewID(at time.Time) string {
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	return at.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(random[:])
}
