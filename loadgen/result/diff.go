package result

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// difference is a place where two JSON documents differ.
type difference struct {
	path string // e.g. client.timeout, targets[1].url
	a, b string // what is there, as JSON; "nothing" where it is missing
}

// differ finds the first place where two values differ as JSON, in order of names.
func differ(a, b any) (difference, bool, error) {
	x, err := document(a)
	if err != nil {
		return difference{}, false, err
	}
	y, err := document(b)
	if err != nil {
		return difference{}, false, err
	}
	d, found := firstDifference("", x, y)
	return d, found, nil
}

func document(v any) (any, error) {
	data, err := marshal(v)
	if err != nil {
		return nil, err
	}
	var doc any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber() // a seed or a count may be longer than a float64
	return doc, dec.Decode(&doc)
}

func firstDifference(path string, a, b any) (difference, bool) {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			break
		}
		names := map[string]bool{}
		for name := range x {
			names[name] = true
		}
		for name := range y {
			names[name] = true
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			below := name
			if path != "" {
				below = path + "." + name
			}
			l, inX := x[name]
			r, inY := y[name]
			if inX != inY {
				return difference{below, shown(l, inX), shown(r, inY)}, true
			}
			if d, found := firstDifference(below, l, r); found {
				return d, true
			}
		}
		return difference{}, false
	case []any:
		y, ok := b.([]any)
		if !ok {
			break
		}
		for i := range max(len(x), len(y)) {
			below := fmt.Sprintf("%s[%d]", path, i)
			if i >= len(x) {
				return difference{below, "nothing", shown(y[i], true)}, true
			}
			if i >= len(y) {
				return difference{below, shown(x[i], true), "nothing"}, true
			}
			if d, found := firstDifference(below, x[i], y[i]); found {
				return d, true
			}
		}
		return difference{}, false
	}
	if reflect.DeepEqual(a, b) {
		return difference{}, false
	}
	return difference{path, shown(a, true), shown(b, true)}, true
}

func shown(v any, exists bool) string {
	if !exists {
		return "nothing"
	}
	data, err := marshal(v)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%.80s", data)
}
