package plan

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/near"
)

// decode reads JSON into the struct that into points to, and says for each value that it refuses
// where it stands. It is stricter than encoding/json: a key that is unknown, differs in case or is
// repeated is an error, unless ignored names it at the top level; and it is laxer in one thing: what is
// text in JSON, a duration or a rate, may be a number there. Null leaves a value as it is.
func decode(data []byte, into any, ignored ...string) error {
	return (&decoder{ignored: ignored}).decode(data, into)
}

// checkSyntax says where data ceases to be JSON in UTF-8.
func checkSyntax(data []byte) *input.Error {
	if !utf8.Valid(data) {
		return &input.Error{Want: "not UTF-8 text"}
	}
	if json.Valid(data) {
		return nil
	}
	var any json.RawMessage
	err := json.Unmarshal(data, &any)
	e := &input.Error{Want: "not JSON: " + err.Error()}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		line := 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
		if bytes.ContainsRune(bytes.TrimSpace(data), '\n') {
			e.Field = fmt.Sprintf("line %d", line)
		}
	}
	return e
}

// decoder decodes values one after the other.
type decoder struct {
	ignored []string
	errs    []error
	keys    map[reflect.Type]map[string]int // of the structs met so far: the index of each key's field
}

func (d *decoder) decode(data []byte, into any) error {
	if e := checkSyntax(data); e != nil {
		return e
	}
	d.errs = nil
	d.value("", data, reflect.ValueOf(into).Elem())
	return errors.Join(d.errs...)
}

// keysOf are the keys of a struct.
func (d *decoder) keysOf(t reflect.Type) map[string]int {
	if keys, known := d.keys[t]; known {
		return keys
	}
	keys := map[string]int{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		keys[name] = i
	}
	if d.keys == nil {
		d.keys = map[reflect.Type]map[string]int{}
	}
	d.keys[t] = keys
	return keys
}

func (d *decoder) add(path string, err error) {
	if path != "" {
		err = input.WithField(err, path)
	}
	d.errs = append(d.errs, err)
}

func (d *decoder) value(path string, raw json.RawMessage, v reflect.Value) {
	if bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		return
	}
	_, ownJSON := v.Addr().Interface().(json.Unmarshaler)
	text, ownText := v.Addr().Interface().(encoding.TextUnmarshaler)
	switch {
	case ownJSON:
		d.leaf(path, raw, v)
	case ownText && isNumber(raw):
		if err := text.UnmarshalText(raw); err != nil {
			d.add(path, err)
		}
	case ownText:
		d.leaf(path, raw, v)
	case v.Kind() == reflect.Struct:
		d.object(path, raw, v)
	case v.Kind() == reflect.Map:
		d.mapping(path, raw, v)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		d.list(path, raw, v)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(path, raw, v.Elem())
	default:
		d.leaf(path, raw, v)
	}
}

func isNumber(raw json.RawMessage) bool {
	return strings.ContainsRune("0123456789-", rune(bytes.TrimSpace(raw)[0]))
}

func (d *decoder) leaf(path string, raw json.RawMessage, v reflect.Value) {
	if text, ok := plainText(raw); ok && v.Type() == reflect.TypeFor[string]() {
		v.SetString(text)
		return
	}
	err := json.Unmarshal(raw, v.Addr().Interface())
	switch {
	case err == nil:
	case len(input.Errors(err)) > 0: // of our own parsers
		d.add(path, err)
	default:
		// The value itself is not shown: of a header or a body it might be a secret.
		d.add(path, &input.Error{Want: "want " + describe(v.Type()) + ", not " + describeValue(raw)})
	}
}

// plainText is a JSON string without escapes, of a document that was checked: what it stands for is what it looks like.
func plainText(raw []byte) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' || bytes.IndexByte(raw, '\\') >= 0 {
		return "", false
	}
	return string(raw[1 : len(raw)-1]), true
}

// describe says what JSON value a type is read from.
func describe(t reflect.Type) string {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return "text"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Uint64:
		return "a whole number that is not negative"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes in base64"
		}
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "text"
}

func describeValue(raw json.RawMessage) string {
	switch bytes.TrimSpace(raw)[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "this text"
	case 't', 'f':
		return "true or false"
	}
	return "this number"
}

func (d *decoder) object(path string, raw json.RawMessage, v reflect.Value) {
	keys := d.keysOf(v.Type())
	for _, m := range d.members(path, raw, v.Type()) {
		field, known := keys[m.key]
		switch {
		case known:
			d.value(join(path, m.key), m.value, v.Field(field))
		case path == "" && slices.Contains(d.ignored, m.key):
		default:
			e := &input.Error{Field: join(path, m.key), Want: "unknown key"}
			if n, ok := near.Near(m.key, slices.Sorted(maps.Keys(keys))); ok {
				e.Want += ", want " + input.Quote(n) + "?"
			}
			d.errs = append(d.errs, e)
		}
	}
}

func (d *decoder) mapping(path string, raw json.RawMessage, v reflect.Value) {
	members := d.members(path, raw, v.Type())
	if len(members) > 0 {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for _, m := range members {
		element := reflect.New(v.Type().Elem()).Elem()
		d.value(join(path, m.key), m.value, element)
		v.SetMapIndex(reflect.ValueOf(m.key), element)
	}
}

func (d *decoder) list(path string, raw json.RawMessage, v reflect.Value) {
	if raw = bytes.TrimSpace(raw); raw[0] != '[' {
		d.add(path, &input.Error{Want: "want " + describe(v.Type()) + ", not " + describeValue(raw)})
		return
	}
	elements := split(raw)
	v.Set(reflect.MakeSlice(v.Type(), len(elements), len(elements)))
	for i, each := range elements {
		d.value(fmt.Sprintf("%s[%d]", path, i), each, v.Index(i))
	}
}

type member struct {
	key   string
	value json.RawMessage
}

// members are the key and value pairs of an object, in order.
func (d *decoder) members(path string, raw json.RawMessage, t reflect.Type) []member {
	if raw = bytes.TrimSpace(raw); raw[0] != '{' {
		d.add(path, &input.Error{Want: "want " + describe(t) + ", not " + describeValue(raw)})
		return nil
	}
	parts := split(raw)
	all := make([]member, 0, len(parts)/2)
	for ; len(parts) > 0; parts = parts[2:] {
		m := member{value: parts[1]}
		var isPlain bool
		if m.key, isPlain = plainText(parts[0]); !isPlain {
			_ = json.Unmarshal(parts[0], &m.key) // the syntax was checked: a key is a string
		}
		if slices.ContainsFunc(all, func(before member) bool { return before.key == m.key }) {
			d.add(join(path, m.key), &input.Error{Want: "given twice"})
			continue
		}
		all = append(all, m)
	}
	return all
}

// split takes an object or a list apart whose syntax was checked: into keys and values in turns, or elements, of
// which none is copied.
func split(raw []byte) []json.RawMessage {
	parts := make([]json.RawMessage, 0, 4)
	depth, begin, isText := 0, 0, false
	end := func(at int) {
		if part := bytes.TrimSpace(raw[begin:at]); len(part) > 0 {
			parts = append(parts, json.RawMessage(part))
		}
		begin = at + 1
	}
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case isText && c == '\\':
			i++
		case c == '"':
			isText = !isText
		case isText:
		case c == '{' || c == '[':
			if depth++; depth == 1 {
				begin = i + 1
			}
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				end(i)
			}
		case depth == 1 && (c == ',' || c == ':'):
			end(i)
		}
	}
	return parts
}

// join is the path of a key. Keys are anything: what is shown is one line of bounded length.
func join(path, key string) string {
	key = clean(input.Clip(key))
	if path == "" {
		return key
	}
	return path + "." + key
}
