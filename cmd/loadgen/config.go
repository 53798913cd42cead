package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/plan"
)

// Locust reads its flags also from files: ~/.locust.conf, locust.conf and the section tool.locust of pyproject.toml, in
// this order, and the one of --config, a later one before an earlier one. What loadgen has of their keys is read alike.

// configFile is what one of them says.
type configFile struct {
	name string
	keys []configKey
}

type configKey struct{ name, value string }

// readConfigs reads the files that are there; name is the one of --config, which has to be.
func readConfigs(name, home string) ([]configFile, error) {
	var all []configFile
	var names []string
	if home != "" {
		names = append(names, filepath.Join(home, ".locust.conf"))
	}
	names = append(names, "locust.conf", "pyproject.toml")
	if name != "" {
		names = append(names, name)
	}
	for i, path := range names {
		data, err := os.ReadFile(path)
		isNamed := name != "" && i == len(names)-1
		switch {
		case err == nil:
			all = append(all, configFile{path, parseConfig(path, string(data))})
		case isNamed:
			return nil, &input.Error{Field: "--config", Got: path, Want: "a file that can be read: " + reason(err)}
		case !errors.Is(err, fs.ErrNotExist):
			return nil, &input.Error{Field: path, Want: "cannot be read: " + reason(err)}
		}
	}
	return all, nil
}

// parseConfig reads lines of "key = value", "key: value" or "key value", as Locust does; # and ; begin remarks. Of TOML
// it reads what the section tool.locust says, each key on a line.
func parseConfig(path, text string) (keys []configKey) {
	isTOML := strings.HasSuffix(path, ".toml")
	within := !isTOML
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.ContainsAny(line[:1], "#;") || line == "---":
			continue
		case line[0] == '[':
			within = !isTOML || strings.Trim(line, "[] ") == "tool.locust"
			continue
		case !within:
			continue
		}
		end := strings.IndexAny(line, "=: \t")
		if end < 0 {
			keys = append(keys, configKey{strings.TrimLeft(line, "-"), "true"})
			continue
		}
		value := strings.TrimSpace(line[end:])
		value = strings.TrimSpace(strings.TrimPrefix(value, value[:min(1, len(value))][:separator(value)]))
		keys = append(keys, configKey{strings.TrimLeft(line[:end], "-"), unquoted(value)})
	}
	return keys
}

// separator is how many bytes of a value are the sign between it and its key.
func separator(value string) int {
	if value != "" && strings.ContainsAny(value[:1], "=:") {
		return 1
	}
	return 0
}

// unquoted is a value without quotes and without a remark behind it.
func unquoted(value string) string {
	if value == "" {
		return "true" // a switch
	}
	if quote := value[:1]; quote == `"` || quote == "'" {
		if inner, _, closed := strings.Cut(value[1:], quote); closed {
			return inner
		}
	}
	for _, remark := range []string{" #", "\t#", " ;"} {
		value, _, _ = strings.Cut(value, remark)
	}
	return strings.TrimSpace(value)
}

// configured keeps what the files say of the table, the last one of each key, where nothing on a higher level says
// otherwise. Of each file one note names what it sets, and which of its keys mean nothing here. A plan file is complete:
// beside one only a host that it lacks is taken.
func (r *resolution) configured(files []configFile, base *plan.Plan) {
	var notes []string
	for _, file := range slices.Backward(files) {
		var sets, ignored []string
		for _, key := range slices.Backward(file.keys) {
			i := slices.IndexFunc(r.table, func(s setting) bool { return readsConfig(&s) && s.flag == dashes(key.name) })
			if i < 0 {
				ignored = append(ignored, key.name)
				continue
			}
			g := given{&r.table[i], byConfig, file.name + " " + key.name, []string{key.value}}
			if r.has(g.flag) || r.planFile != "" && (g.flag != "host" || base.Host != "") || !r.takes(&g) {
				continue
			}
			r.kept = append(r.kept, g)
			sets = append(sets, g.flag+" "+shownValue(&g))
		}
		slices.Reverse(sets)
		slices.Reverse(ignored)
		var parts []string
		if len(sets) > 0 {
			parts = append(parts, "sets "+strings.Join(sets, ", "))
		}
		if len(ignored) > 0 {
			parts = append(parts, "has keys that mean nothing here: "+strings.Join(ignored, ", "))
		}
		if len(parts) > 0 {
			notes = append(notes, file.name+" "+strings.Join(parts, "; "))
		}
	}
	slices.Reverse(notes)
	r.notes = append(r.notes, notes...)
}

// takes reports whether a setting of the lowest level goes with those that are kept.
func (s *settlement) takes(g *given) bool {
	if m := modelOf(g.flag); m != "" && m != s.model {
		return false
	}
	return !slices.ContainsFunc(s.kept, func(other given) bool { return other.silences(g) != nil })
}

// readsConfig reports whether a key of Locust's files is this setting.
func readsConfig(s *setting) bool { return s.locust || s.flag == "json" }

func dashes(key string) string { return strings.ReplaceAll(strings.TrimSpace(key), "_", "-") }

func shownValue(g *given) string {
	if g.flag == "host" {
		return plan.RedactURL(g.texts[0])
	}
	return g.texts[0]
}
