package awstest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// Object is a structure of an API by the names of its fields: strings, bools, ints, float64s, times, lists ([]any) and objects.
// A nil is a field that is not there.
type Object map[string]any

// Text is a field that is a string; "" when it is not there.
func (o Object) Text(field string) string { s, _ := o[field].(string); return s }

// Bool is a field that is true; in the query protocol it is a text.
func (o Object) Bool(field string) bool {
	b, _ := o[field].(bool)
	return b || o.Text(field) == "true"
}

// Number is a field that is a number.
func (o Object) Number(field string) (x float64, ok bool) {
	switch n := o[field].(type) {
	case float64:
		return n, true
	case string:
		x, err := strconv.ParseFloat(n, 64)
		return x, err == nil
	}
	return 0, false
}

// Time is a field that is an instant; the zero time when it is not there.
func (o Object) Time(field string) time.Time {
	switch t := o[field].(type) {
	case time.Time:
		return t
	case float64:
		return instant(t)
	}
	return time.Time{}
}

// List is a field that is a list.
func (o Object) List(field string) []any { l, _ := o[field].([]any); return l }

// Texts are the strings of a list.
func (o Object) Texts(field string) (all []string) {
	for _, x := range o.List(field) {
		if s, ok := x.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// Objects are the objects of a list.
func (o Object) Objects(field string) (all []Object) {
	for _, x := range o.List(field) {
		if s, ok := x.(Object); ok {
			all = append(all, s)
		}
	}
	return all
}

// Object is a field that is one; an empty one when it is not there.
func (o Object) Object(field string) Object { x, _ := o[field].(Object); return x }

// call is a request that was read.
type call struct {
	action, operation string
	in                Object
	wire              wire
}

// wire is how a protocol writes.
type wire interface {
	write(w http.ResponseWriter, c *call, out Object)
	fail(w http.ResponseWriter, c *call, e *Error)
}

// services are the prefixes of IAM by what the protocols have in their place.
func services() map[string]string {
	return map[string]string{
		"AmazonEC2ContainerServiceV20141113": "ecs", "AnyScaleFrontendService": "application-autoscaling", "Logs_20140328": "logs",
		"GraniteServiceVersion20100801": "cloudwatch", "2015-12-01": "elasticloadbalancing",
	}
}

// read reads a request of any protocol.
func read(r *http.Request, body []byte) (*call, error) {
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		if body, err = io.ReadAll(z); err != nil {
			return nil, err
		}
	}
	switch {
	case r.Header.Get("X-Amz-Target") != "":
		service, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		var in map[string]any
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, err
		}
		return &call{services()[service] + ":" + operation, operation, fromJSON(in).(Object), jsonWire{}}, nil
	case r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/") // service/NAME/operation/NAME
		if len(parts) != 4 {
			return nil, fmt.Errorf("no operation in %s", r.URL.Path)
		}
		in := Object{}
		if len(body) > 0 {
			v, err := cbor.Decode(body)
			if err != nil {
				return nil, err
			}
			in, _ = fromCBOR(v).(Object)
		}
		return &call{services()[parts[1]] + ":" + parts[3], parts[3], in, cborWire{}}, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("Action") == "" {
		return nil, fmt.Errorf("a request of no protocol that the fake has: %s %s", r.Method, r.URL)
	}
	return &call{services()[form.Get("Version")] + ":" + form.Get("Action"), form.Get("Action"), fromForm(form), xmlWire{}}, nil
}

func fromJSON(v any) any {
	switch v := v.(type) {
	case map[string]any:
		o := Object{}
		for k, x := range v {
			o[k] = fromJSON(x)
		}
		return o
	case []any:
		for i, x := range v {
			v[i] = fromJSON(x)
		}
	}
	return v
}

func fromCBOR(v cbor.Value) any {
	switch v := v.(type) {
	case cbor.Map:
		o := Object{}
		for k, x := range v {
			o[k] = fromCBOR(x)
		}
		return o
	case cbor.List:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = fromCBOR(x)
		}
		return list
	case *cbor.Tag:
		if t, err := cbor.AsTime(v); err == nil {
			return t
		}
	case cbor.String:
		return string(v)
	case cbor.Bool:
		return bool(v)
	case cbor.Uint, cbor.NegInt, cbor.Float32, cbor.Float64:
		if x, err := cbor.AsFloat64(v); err == nil {
			return x
		}
		if n, err := cbor.AsInt64(v); err == nil {
			return float64(n)
		}
	}
	return nil
}

// fromForm makes an object of A=1&L.member.1=x&O.F=y.
func fromForm(form url.Values) Object {
	o := Object{}
	for _, key := range slices.Sorted(maps.Keys(form)) {
		name, rest, nested := strings.Cut(key, ".")
		switch {
		case !nested:
			o[name] = form.Get(key)
		case strings.HasPrefix(rest, "member."):
			o[name] = append(o.List(name), form.Get(key))
		}
	}
	return o
}

func instant(seconds float64) time.Time {
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(math.Round(fraction*1e3))*1e6).UTC()
}

// epoch is an instant as JSON and CBOR have it, to the millisecond.
func epoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1e3 }

type jsonWire struct{}

func (jsonWire) write(w http.ResponseWriter, _ *call, out Object) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(toJSON(out)) // the client may be gone
}

func (jsonWire) fail(w http.ResponseWriter, _ *call, e *Error) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(e.Status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": e.Code, "message": e.Message})
}

func toJSON(v any) any {
	switch v := v.(type) {
	case Object:
		o := map[string]any{}
		for k, x := range v {
			if x != nil {
				o[k] = toJSON(x)
			}
		}
		return o
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = toJSON(x)
		}
		return list
	case time.Time:
		return epoch(v)
	}
	return v
}

type cborWire struct{}

func (cborWire) write(w http.ResponseWriter, _ *call, out Object) {
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	_, _ = w.Write(cbor.Encode(toCBOR(out)))
}

func (cborWire) fail(w http.ResponseWriter, _ *call, e *Error) {
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	w.WriteHeader(e.Status)
	_, _ = w.Write(cbor.Encode(cbor.Map{"__type": cbor.String("com.amazonaws.cloudwatch#" + e.Code), "message": cbor.String(e.Message)}))
}

func toCBOR(v any) cbor.Value {
	switch v := v.(type) {
	case Object:
		o := cbor.Map{}
		for k, x := range v {
			if x != nil {
				o[k] = toCBOR(x)
			}
		}
		return o
	case []any:
		list := make(cbor.List, len(v))
		for i, x := range v {
			list[i] = toCBOR(x)
		}
		return list
	case time.Time:
		return &cbor.Tag{ID: 1, Value: cbor.Float64(epoch(v))}
	case string:
		return cbor.String(v)
	case bool:
		return cbor.Bool(v)
	case float64:
		return cbor.Float64(v)
	case int:
		if v < 0 {
			return cbor.NegInt(uint64(-v))
		}
		return cbor.Uint(uint64(v))
	}
	panic(fmt.Sprintf("awstest: no CBOR for a %T", v))
}

type xmlWire struct{}

func (xmlWire) write(w http.ResponseWriter, c *call, out Object) {
	var b bytes.Buffer
	b.WriteString("<" + c.operation + `Response xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">`)
	toXML(&b, c.operation+"Result", out)
	b.WriteString("<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></" + c.operation + "Response>")
	w.Header().Set("Content-Type", "text/xml")
	_, _ = w.Write(b.Bytes())
}

func (xmlWire) fail(w http.ResponseWriter, _ *call, e *Error) {
	var b bytes.Buffer
	toXML(&b, "ErrorResponse", Object{"Error": Object{"Type": "Sender", "Code": e.Code, "Message": e.Message}, "RequestId": "1"})
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(e.Status)
	_, _ = w.Write(b.Bytes())
}

func toXML(b *bytes.Buffer, name string, v any) {
	if v == nil {
		return
	}
	b.WriteString("<" + name + ">")
	switch v := v.(type) {
	case Object:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			toXML(b, k, v[k])
		}
	case []any:
		for _, x := range v {
			toXML(b, "member", x)
		}
	case time.Time:
		b.WriteString(v.UTC().Format(time.RFC3339Nano))
	default:
		_ = xml.EscapeText(b, fmt.Append(nil, v)) // a buffer takes all
	}
	b.WriteString("</" + name + ">")
}
