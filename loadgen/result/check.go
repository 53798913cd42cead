package result

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"scalableappbackend/loadgen/plan"
)

// maxNumber bounds a number in a result: what every JSON reader keeps exactly.
const maxNumber = 1 << 53

// checkNumbers says whether every number of a result is one that a run can have: finite and not
// negative. It names the field as JSON does.
func checkNumbers(path string, v any) error { return checkValue(path, reflect.ValueOf(v)) }

func checkValue(path string, v reflect.Value) error {
	switch v.Type() {
	case reflect.TypeFor[plan.Plan](): // package plan judges plans
		return nil
	case reflect.TypeFor[time.Time](), reflect.TypeFor[json.RawMessage]():
		return nil
	}
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		if n := v.Int(); n < 0 || n > maxNumber {
			return fmt.Errorf("field %s: %d, want 0 to 2^53", path, n)
		}
	case reflect.Float64:
		isReading := v.Type() == reflect.TypeFor[Reading]()
		if f := v.Float(); !(f >= 0 && f <= maxNumber) && !(isReading && math.IsNaN(f)) {
			return fmt.Errorf("field %s: %v, want a number that is not negative", path, f)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			return checkValue(path, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := checkValue(fmt.Sprintf("%s[%d]", path, i), v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if err := checkValue(fmt.Sprintf("%s[%.40q]", path, key), v.MapIndex(key)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if err := checkValue(join(path, v.Type().Field(i)), v.Field(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// join is the path of a field in JSON; an embedded struct's fields are its holder's.
func join(path string, f reflect.StructField) string {
	if f.Anonymous {
		return path
	}
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if path == "" {
		return name
	}
	return path + "." + name
}

// check says whether a result that was read can be one.
func (r *Result) check() error {
	switch r.Verdict.Validity {
	case Valid, Suspect, Invalid:
	default:
		return fmt.Errorf("field verdict.validity: %.40q, want VALID, SUSPECT or INVALID", r.Verdict.Validity)
	}
	// Values of thresholds and instants of events may be below zero: a difference, and what happened
	// before the first request was due.
	bare := *r
	bare.Thresholds, bare.Events = nil, nil
	return checkNumbers("", &bare)
}
