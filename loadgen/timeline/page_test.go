package timeline

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// paths adds a type's JSON fields below a path; lists end in [].
func paths(t reflect.Type, below string, into map[string]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[Span]() || t == reflect.TypeFor[instantS]() {
		return
	}
	if t == reflect.TypeFor[Stretch]() {
		t = reflect.TypeFor[wireStretch]()
	}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		path := below + name
		if f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct {
			path += "[]"
		}
		into[path] = true
		if t == reflect.TypeFor[Provisioning]() && f.Type == reflect.TypeFor[*Accuracy]() {
			paths(f.Type, "….", into)
			continue
		}
		paths(f.Type, path+".", into)
	}
}

func TestThePageOfTheResultNamesEachFieldOfTheTimelineAndItsFigures(t *testing.T) {
	page, err := os.ReadFile("../../docs/result-format.md")
	if err != nil {
		t.Fatal(err)
	}
	for heading, of := range map[string]reflect.Type{"timeline.json": reflect.TypeFor[wire](), "Elasticity": reflect.TypeFor[Figures]()} {
		_, section, ok := strings.Cut(string(page), "\n## "+heading+"\n")
		if !ok {
			t.Errorf("no section %s", heading)
			continue
		}
		section, _, _ = strings.Cut(section, "\n## ")
		want, have := map[string]bool{}, map[string]bool{}
		paths(of, "", want)
		for row := range strings.SplitSeq(section, "\n") {
			if !strings.HasPrefix(row, "| `") {
				continue
			}
			cells := strings.SplitN(row, " | ", 2)
			for i, cell := range cells {
				for _, m := range regexp.MustCompile("`([a-z0-9_…][a-z0-9_.…]*(?:\\[\\])?[a-z0-9_.]*)`").FindAllStringSubmatch(cell, -1) {
					if i == 0 || strings.Contains(m[1], ".") || strings.HasSuffix(m[1], "[]") {
						have[m[1]] = true
					}
				}
			}
		}
		for _, path := range slices.Sorted(maps.Keys(want)) {
			if !have[path] {
				t.Errorf("section %s does not name %s", heading, path)
			}
		}
		for _, path := range slices.Sorted(maps.Keys(have)) {
			if !want[path] {
				t.Errorf("section %s names %s, which there is not", heading, path)
			}
		}
	}
}
