package baseline

import (
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

type memory struct{ fstest.MapFS }

func (m memory) Write(name string, content io.Reader) error {
	if m.MapFS[name] != nil {
		return fs.ErrExist
	}
	data, err := io.ReadAll(content)
	m.MapFS[name] = &fstest.MapFile{Data: data}
	return err
}

func TestTheNewestThatFitsIsFoundAndNothingKeptIsChanged(t *testing.T) {
	m := memory{fstest.MapFS{}}
	src := fstest.MapFS{"result.json": &fstest.MapFile{Data: []byte("{}")}}
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for i, e := range []Entry{
		{Name: "a/b", Branch: "main", Commit: "1", Plan: "p"},
		{Name: "a/b", Branch: "main", Commit: "2", Plan: "p", Reason: "accepted: TLS"},
		{Name: "..", Branch: "feature/x", Commit: "3", Plan: "p"},
	} {
		e.Saved = at.Add(time.Duration(i) * time.Hour)
		if err := Save(m, src, e); err != nil {
			t.Fatal(err)
		}
		if err := Save(m, src, e); err == nil || !strings.Contains(err.Error(), "kept already") {
			t.Errorf("twice: %v", err)
		}
	}
	all, err := List(m)
	if err != nil || len(all) != 3 {
		t.Fatalf("%v, %v", all, err)
	}
	for _, row := range []struct {
		want   Entry
		commit string
	}{{Entry{}, "3"}, {Entry{Name: "a/b"}, "2"}, {Entry{Commit: "1"}, "1"}, {Entry{Branch: "feature/x"}, "3"}, {Entry{Name: "none"}, ""}} {
		if e, _ := Find(all, row.want); e.Commit != row.commit {
			t.Errorf("%+v is commit %q, want %q", row.want, e.Commit, row.commit)
		}
	}
	if p := (Entry{Name: "..", Branch: ".", Plan: "p", Commit: "../x"}).Path(); !fs.ValidPath(p) || strings.Count(p, "/") != 3 {
		t.Errorf("%s leads out", p)
	}
}
