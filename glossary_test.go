package scalableappbackend

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// glossary is a row of docs/glossary.md.
type glossary struct {
	words   []string
	meaning string
	not     []string // words that are not used for it
}

func readGlossary(t *testing.T) (rows []glossary) {
	t.Helper()
	text, err := os.ReadFile("docs/glossary.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^\| \*\*([^*]+)\*\* \| (.*) \| ?(.*?) ?\|$`).FindAllStringSubmatch(string(text), -1) {
		row := glossary{words: strings.Split(m[1], ", "), meaning: m[2]}
		if m[3] != "" {
			row.not = strings.Split(m[3], ", ")
		}
		rows = append(rows, row)
	}
	if len(rows) < 20 {
		t.Fatalf("docs/glossary.md has %d rows", len(rows))
	}
	return rows
}

func TestTheGlossaryIsInOrderAndEachWordLeadsSomewhere(t *testing.T) {
	last := ""
	for _, row := range readGlossary(t) {
		word := strings.ToLower(row.words[0])
		if word <= last {
			t.Errorf("%s stands after %s", word, last)
		}
		last = word
		if !strings.Contains(row.meaning, "](") {
			t.Errorf("%s has no link", word)
		}
	}
}

// otherwise are places where a word of the last column is right, because it means something else there.
var otherwise = map[string][]string{
	"service time": {"docs/lab.md: slots, a service time, a queue"},                              // the term of queueing theory
	"stretch":      {"docs/result-format.md: `stretch`", "docs/result-format.md: ### `stretch`"}, // a type's name in the schema
	"skipped":      {},
	"step":         {}, // an ordinary word
	"bucket":       {},
	"supply":       {},
	"reference":    {},
}

func TestDocumentsAndHelpUseTheWordsOfTheGlossary(t *testing.T) {
	var paths []string
	for _, pattern := range []string{"README.md", "docs/*.md", "cmd/loadgen/testdata/help/*.txt"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		paths = append(paths, found...)
	}
	for _, row := range readGlossary(t) {
		for _, word := range row.not {
			places, known := otherwise[word]
			if known && len(places) == 0 {
				continue // it has an ordinary meaning, too
			}
			whole := regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(word) + `\b`)
			for _, path := range paths {
				path = filepath.ToSlash(path)
				// The records of old decisions keep their words, and the page for users of Locust has Locust's.
				if slices.Contains([]string{"docs/glossary.md", "docs/decisions.md", "docs/from-locust.md"}, path) {
					continue
				}
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				for line := range strings.SplitSeq(string(text), "\n") {
					right := slices.ContainsFunc(places, func(place string) bool {
						file, part, _ := strings.Cut(place, ": ")
						return file == path && strings.Contains(line, part)
					})
					if whole.MatchString(line) && !right {
						t.Errorf("%s says %s, want %s: %.120s", path, word, strings.Join(row.words, ", "), line)
					}
				}
			}
		}
	}
}
