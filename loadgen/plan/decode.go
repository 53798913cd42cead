package plan

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"scalableappbackend/internal/near"
)

// decode reads JSON into the struct that into points to, and says for each value that it refuses
// where it stands. It is stricter than encoding/json: a key that is unknown, differs in case or is
// repeated is an error, unless ignored names it at the top level; and it is laxer in one thing: what is
// text in JSON, a duration or a rate, may be a number there. Null leaves a value as it is.
func decode(data []byte, into any, ignored ...string) error {
	if e := checkSyntax(data); e != nil {
		return e
	}
	d := decoder{ignored: ignored}
	d.value("", data, reflect.ValueOf(into).Elem())
	return errors.Join(d.errs...)
}

// checkSyntax says where data ceases to be JSON in UTF-8.
func checkSyntax(data []byte) *FieldError {
	if !utf8.Valid(data) {
		return &FieldError{Want: "not UTF-8 text"}
	}
	var any json.RawMessage
	err := json.Unmarshal(data, &any)
	if err == nil {
		return nil
	}
	e := &FieldError{Want: "not JSON: " + err.Error()}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		line := 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
		if bytes.ContainsRune(bytes.TrimSpace(data), '\n') {
			e.Field = fmt.Sprintf("line %d", line)
		}
	}
	return e
}

type decoder struct {
	ignored []string
	errs    []error
}

func (d *decoder) add(path string, err error) {
	if path != "" {
		err = WithField(err, path)
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
	err := json.Unmarshal(raw, v.Addr().Interface())
	switch {
	case err == nil:
	case len(Fields(err)) > 0: // of our own parsers
		d.add(path, err)
	default:
		// The value itself is not shown: of a header or a body it might be a secret.
		d.add(path, &FieldError{Want: "want " + describe(v.Type()) + ", not " + describeValue(raw)})
	}
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
	fields := map[string]reflect.Value{}
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		fields[name] = v.Field(i)
	}
	for _, m := range d.members(path, raw, v.Type()) {
		field, known := fields[m.key]
		switch {
		case known:
			d.value(join(path, m.key), m.value, field)
		case path == "" && slices.Contains(d.ignored, m.key):
		default:
			e := &FieldError{Field: join(path, m.key), Want: "unknown key"}
			var names []string
			for name := range fields {
				names = append(names, name)
			}
			slices.Sort(names)
			if n, ok := near.Near(m.key, names); ok {
				e.Want += ", want " + quote(n) + "?"
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
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil {
		d.add(path, &FieldError{Want: "want " + describe(v.Type()) + ", not " + describeValue(raw)})
		return
	}
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
	dec := json.NewDecoder(bytes.NewReader(raw))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		d.add(path, &FieldError{Want: "want " + describe(t) + ", not " + describeValue(raw)})
		return nil
	}
	var all []member
	seen := map[string]bool{}
	for dec.More() {
		key, err := dec.Token()
		var m member
		if err == nil {
			m.key = key.(string) // syntax was checked: a key is a string
			err = dec.Decode(&m.value)
		}
		if err != nil {
			d.add(path, err)
			return all
		}
		if seen[m.key] {
			d.add(join(path, m.key), &FieldError{Want: "given twice"})
			continue
		}
		seen[m.key] = true
		all = append(all, m)
	}
	return all
}

// join is the path of a key. Keys are anything: what is shown is one line of bounded length.
func join(path, key string) string {
	key = clean(clip(key))
	if path == "" {
		return key
	}
	return path + "." + key
}
