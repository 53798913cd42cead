package result

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"scalableappbackend/loadgen/timeline"
)

// timelineName is the file of Result.Timeline; it is there when capacity was watched.
const timelineName = "timeline.json"

// writeTimeline writes what capacity did. It comes before result.json, whose presence says that all is there.
func (w *Writer) writeTimeline(t *timeline.Timeline) error {
	if t == nil {
		return nil
	}
	data, err := timeline.Encode(t)
	if err != nil {
		return named(timelineName, err)
	}
	file, err := w.root.OpenFile(timelineName, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return named(timelineName, err)
	}
	g := growing{name: timelineName, file: file}
	if err := g.append(data); err != nil {
		_ = file.Close()
		return err
	}
	return g.close()
}

// readTimeline returns what capacity did, nil when nobody watched it.
func readTimeline(fsys fs.FS) (*timeline.Timeline, error) {
	data, err := readDocument(fsys, timelineName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	t, err := timeline.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", timelineName, err)
	}
	return t, nil
}

// readFacts returns what was told of capacity while it was watched, and until when that was. Of a run that was cut the last
// line may be missing or unfinished. It is nil when nobody told anything.
func readFacts(fsys fs.FS, cut bool) (*timeline.Ledger, []timeline.Fact, error) {
	file, err := fsys.Open(factsName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, named(factsName, err)
	}
	defer file.Close()
	lines, ledger := newLineReader(factsName, file), &timeline.Ledger{}
	var facts []timeline.Fact
	for {
		line, err := lines.next()
		if err == io.EOF || cut && errors.Is(err, errCut) {
			return ledger, facts, nil
		}
		if err != nil {
			return nil, nil, err
		}
		var f timeline.Fact
		if err := decode(line, &f); err != nil {
			return nil, nil, lines.errorf("%w", err)
		}
		ledger.Seen(f.Known)
		if f.Kind() != "" {
			facts = append(facts, ledger.Tell(f)...)
		}
	}
}
