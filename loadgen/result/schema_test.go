package result

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"scalableappbackend/loadgen/plan"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(SchemaJSON()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("result.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("result.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, data []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

// fill sets every field of a value to something that is not zero, also those that JSON leaves out when they are.
func fill(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = fakeStart
		return
	case *Validity:
		*x = Suspect
		return
	case *plan.Duration:
		*x = plan.Duration(time.Second)
		return
	case *plan.Range:
		*x = plan.Range{Min: plan.Duration(time.Second), Max: plan.Duration(time.Minute)}
		return
	case *plan.Edit:
		*x = plan.Edit{At: 1500 * time.Millisecond, Field: plan.EditRunTime, Value: 60}
		return
	case *plan.Rate:
		*x = plan.Rate{N: 3000, Per: plan.Duration(time.Minute)}
		return
	case *plan.Resolve:
		*x, _ = plan.ParseResolve("*:443:127.0.0.1,[::1]")
		return
	case *plan.Model:
		*x = plan.Open
		return
	case *plan.Arrivals:
		*x = plan.Poisson
		return
	case *[]plan.Status:
		*x = []plan.Status{{Min: 200, Max: 200}, {Min: 200, Max: 299}, {Min: 200, Max: 204}}
		return
	case *json.RawMessage:
		*x = json.RawMessage(`{"any": ["thing"]}`)
		return
	case *[]byte:
		*x = []byte("body")
		return
	case **Histogram: // which result.json does not hold
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, path, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, path+"[]", v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, path, key)
		fill(t, path+"[key]", value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint64:
		v.SetUint(1)
	case reflect.Float64:
		v.SetFloat(0.5)
	default:
		t.Fatalf("%s: a %s, which this test cannot fill", path, v.Type())
	}
}

func fullResult(t *testing.T) *Result {
	t.Helper()
	r := &Result{}
	fill(t, "Result", reflect.ValueOf(r).Elem())
	r.Schema = Schema
	return r
}

func TestAResultWithEveryFieldFitsTheSchema(t *testing.T) {
	data, err := Encode(fullResult(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, compiledSchema(t), data); err != nil {
		t.Errorf("%v\nmend schema.json and docs/result-format.md when a field was added", err)
	}
}

func TestResultsOfRunsFitTheSchema(t *testing.T) {
	s := compiledSchema(t)
	if err := validate(t, s, readFile(t, fixtureDir, resultName)); err != nil {
		t.Error(err)
	}
	data, err := Encode(NewBuilder(smallLoad().meta()).Result(Final{Verdict: Verdict{Validity: Valid}}))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, s, data); err != nil {
		t.Errorf("a run without any request: %v", err)
	}
	fsys := filesOf(t, fixtureDir)
	delete(fsys, resultName)
	o, err := openFiles(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if data, err = Encode(o.Result); err != nil {
		t.Fatal(err)
	}
	if err := validate(t, s, data); err != nil {
		t.Errorf("a run that was cut: %v", err)
	}
}

func TestTheSchemaKnowsNoFieldThatAResultLacks(t *testing.T) {
	data, err := Encode(fullResult(t))
	if err != nil {
		t.Fatal(err)
	}
	var whole any
	if err := json.Unmarshal(data, &whole); err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(SchemaJSON(), &schema); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	var walk func(path string, s map[string]any, doc any)
	walk = func(path string, s map[string]any, doc any) {
		if ref, ok := s["$ref"].(string); ok {
			name := strings.TrimPrefix(ref, "#/$defs/")
			used[name] = true
			s = schema["$defs"].(map[string]any)[name].(map[string]any)
		}
		if items, ok := s["items"].(map[string]any); ok {
			walk(path+"[]", items, doc.([]any)[0])
		}
		if values, ok := s["additionalProperties"].(map[string]any); ok {
			for _, v := range doc.(map[string]any) {
				walk(path+"{}", values, v)
			}
		}
		properties, ok := s["properties"].(map[string]any)
		if !ok {
			return
		}
		if s["additionalProperties"] != false {
			t.Errorf("%s: a field that the schema does not know passes", path)
		}
		object := doc.(map[string]any)
		for name, p := range properties {
			value, ok := object[name]
			if !ok {
				t.Errorf("%s.%s: in the schema, and in no result", path, name)
				continue
			}
			if p, ok := p.(map[string]any); ok {
				walk(path+"."+name, p, value)
			}
		}
	}
	walk("", schema, whole)
	for name := range schema["$defs"].(map[string]any) {
		if !used[name] {
			t.Errorf("$defs/%s is not used", name)
		}
	}
}

func TestTheSchemaRefusesWhatNoRunLeaves(t *testing.T) {
	s := compiledSchema(t)
	whole := readFile(t, fixtureDir, resultName)
	for _, tt := range []struct{ old, new string }{
		{`"schema": "loadgen/result/v2"`, `"schema": "loadgen/result/v3"`},
		{`"interrupted": false,`, ``},
		{`"requests": `, `"requests": -`},
		{`"requests": `, `"reqests": 1, "requests": `},
		{`"started_at": "2025-11-24T08`, `"started_at": "2025-11-24 08`},
		{`"validity": "VALID"`, `"validity": "valid"`},
		{`"warnings": []`, `"warnings": null`},
		{`"seed": 1`, `"seed": 1, "sed": 1`},
		{`"p99_9": `, `"p999": `},
	} {
		if !bytes.Contains(whole, []byte(tt.old)) {
			t.Errorf("result.json does not hold %q: this test is out of date", tt.old)
			continue
		}
		if validate(t, s, bytes.Replace(whole, []byte(tt.old), []byte(tt.new), 1)) == nil {
			t.Errorf("a result with %s fits the schema", tt.new)
		}
	}
}

const formatDoc = "../../docs/result-format.md"

// docTables are the tables of docs/result-format.md: rows of name and type below each heading of the third level.
func docTables(t *testing.T) map[string][][2]string {
	t.Helper()
	data, err := os.ReadFile(formatDoc)
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string][][2]string{}
	heading := ""
	heads := regexp.MustCompile("^### `([^`]+)`")
	row := regexp.MustCompile("^\\| `([^`]+)` \\| ([^|]+) \\|")
	for line := range strings.SplitSeq(string(data), "\n") {
		if m := heads.FindStringSubmatch(line); m != nil {
			heading = m[1]
		} else if strings.HasPrefix(line, "#") {
			heading = ""
		}
		if m := row.FindStringSubmatch(line); m != nil && heading != "" {
			tables[heading] = append(tables[heading], [2]string{m[1], strings.TrimSpace(m[2])})
		}
	}
	return tables
}

// schemaType is the word for a property's type in the tables.
func schemaType(p any, defs map[string]any) string {
	s, ok := p.(map[string]any)
	if !ok {
		return "any"
	}
	if ref, ok := s["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/$defs/")
		if def := defs[name].(map[string]any); def["properties"] != nil {
			return "`" + name + "`"
		}
		return name
	}
	if s["const"] != nil || s["enum"] != nil {
		return "string"
	}
	if s["type"] == "array" {
		return "list of " + schemaType(s["items"], defs)
	}
	if values, ok := s["additionalProperties"]; ok && s["properties"] == nil {
		return "map of " + schemaType(values, defs)
	}
	return fmt.Sprint(s["type"])
}

func TestTheFormatsPageAndTheSchemaAgree(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(SchemaJSON(), &schema); err != nil {
		t.Fatal(err)
	}
	defs := schema["$defs"].(map[string]any)
	objects := map[string]map[string]any{"result.json": schema}
	for name, def := range defs {
		if def := def.(map[string]any); def["properties"] != nil {
			objects[name] = def
		}
	}
	tables := docTables(t)
	// An endpoint, and the totals, are stats and what they have beside them.
	stats := objects["stats"]["properties"].(map[string]any)
	for name, object := range objects {
		want := map[string]string{}
		for field, p := range object["properties"].(map[string]any) {
			if _, isStats := stats[field]; isStats && (name == "endpoint" || name == "totals") {
				continue
			}
			want[field] = schemaType(p, defs)
		}
		got := map[string]string{}
		for _, row := range tables[name] {
			got[row[0]] = row[1]
		}
		for _, field := range sortedKeys(want) {
			if got[field] != want[field] {
				t.Errorf("%s: %s of %s is a %q, in the schema a %q", formatDoc, field, name, got[field], want[field])
			}
			delete(got, field)
		}
		for field := range got {
			t.Errorf("%s: %s of %s is not in the schema", formatDoc, field, name)
		}
	}
	for _, name := range []string{"endpoint", "totals"} {
		for field, p := range stats {
			if !reflect.DeepEqual(objects[name]["properties"].(map[string]any)[field], p) {
				t.Errorf("schema: %s of %s is not that of stats", field, name)
			}
		}
	}
}

// jsonFields are the fields of a struct as JSON names them.
func jsonFields(t reflect.Type) []string {
	var fields []string
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		fields = append(fields, name)
	}
	slices.Sort(fields)
	return fields
}

func TestTheFormatsPageNamesEveryFieldOfTheOtherFiles(t *testing.T) {
	tables := docTables(t)
	for heading, of := range map[string]reflect.Type{
		"plan.json": reflect.TypeFor[planFile](), "run": reflect.TypeFor[runFile](),
		"windows.jsonl": reflect.TypeFor[windowLine](), "windows.jsonl endpoints": reflect.TypeFor[endpointLine](),
		"windows.jsonl errors": reflect.TypeFor[errorLine](), "windows.jsonl health": reflect.TypeFor[healthColumns](),
		"windows.jsonl earlier": reflect.TypeFor[earlierLine](), "windows.jsonl end": reflect.TypeFor[endLine](),
		"windows.jsonl examples": reflect.TypeFor[exampleLine](), "events.jsonl": reflect.TypeFor[EventJSON](),
	} {
		var got []string
		for _, row := range tables[heading] {
			got = append(got, row[0])
		}
		slices.Sort(got)
		if want := jsonFields(of); !slices.Equal(got, want) {
			t.Errorf("%s: the table of %s names\n%q, its lines have\n%q", formatDoc, heading, got, want)
		}
	}
}
