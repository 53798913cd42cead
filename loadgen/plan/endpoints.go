package plan

import (
	"fmt"
	"strings"
	"unicode"
)

// MaxEndpoints is how many names the statistics keep apart; a histogram a name, an interval and a
// latency is what bounds it. Requests of all further names share one endpoint, OtherEndpoint.
const MaxEndpoints = 500

// OtherEndpoint is the name shared by what is beyond MaxEndpoints names.
const OtherEndpoint = "other (more than 500 names)"

type endpoints struct {
	list    []Endpoint
	warning string
}

// endpoints names what the targets are counted under and gives each request its index. Names are
// made of what the plan says, references unfilled, so that no secret gets into them.
func (p *Plan) endpoints(requests []Request) endpoints {
	var e endpoints
	index := map[string]int{}
	beyond := map[string]bool{}
	withHost := p.hostsDiffer()
	for i := range p.Targets {
		t := &p.Targets[i]
		name := p.endpointName(t, withHost)
		at, known := index[name]
		if !known && len(index) == MaxEndpoints {
			beyond[name] = true
			name = OtherEndpoint
			at, known = MaxEndpoints, len(e.list) > MaxEndpoints
		} else if !known {
			at = len(e.list)
			index[name] = at
		}
		if !known {
			url := RedactURL(resolve(p.Host, t.URL))
			e.list = append(e.list, Endpoint{Name: name, Method: t.Method, URL: url})
		}
		requests[i].Endpoint = at
	}
	if len(beyond) > 0 {
		e.warning = fmt.Sprintf(`%d names of endpoints: all after the first %d are counted as %q. `+
			`If paths hold ids, group them with a target's name, e.g. {"method":"GET","url":"/items/17","name":"GET /items/{id}"}`,
			MaxEndpoints+len(beyond), MaxEndpoints, OtherEndpoint)
	}
	return e
}

// endpointName is the target's name, or METHOD and path, in the latter case with the host if asked for.
func (p *Plan) endpointName(t *Target, withHost bool) string {
	if t.Name != "" {
		return clean(t.Name)
	}
	a := splitURL(t.URL)
	path := a.path
	if path == "" {
		path = "/"
	}
	if withHost {
		path = p.hostOf(t) + path
	}
	return clean(t.Method + " " + path)
}

// hostOf is the host and port that a target names, or the plan's.
func (p *Plan) hostOf(t *Target) string {
	if strings.HasPrefix(t.URL, "/") {
		return splitHost(p.Host)
	}
	return splitHost(t.URL)
}

// splitHost is the host of a URL in lower case, without the port that its scheme implies.
func splitHost(text string) string {
	a := splitURL(text)
	if strings.Contains(a.host, "${") {
		return a.host // lower case would be another variable
	}
	host := strings.ToLower(a.host)
	switch strings.ToLower(a.scheme) {
	case "http://":
		host = strings.TrimSuffix(host, ":80")
	case "https://":
		host = strings.TrimSuffix(host, ":443")
	}
	return host
}

func (p *Plan) hostsDiffer() bool {
	for i := range p.Targets {
		if p.hostOf(&p.Targets[i]) != p.hostOf(&p.Targets[0]) {
			return true
		}
	}
	return false
}

// clean makes a name fit for a line of text: no control characters, valid UTF-8.
func clean(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(name, string(unicode.ReplacementChar)))
}
