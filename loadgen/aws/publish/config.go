package publish

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// Config is how a run is published. The zero value is ready to use.
type Config struct {
	Namespace  string        // DefaultNamespace when empty
	Service    string        // the dimension Service; empty: the plan's name, else its host
	Resolution time.Duration // of the metrics: 60 s (also when 0) or 1 s
	Run        bool          // publish for each run apart as well, with the dimensions Service and Run
	Several    bool          // the run is one of several tasks: no gauges of percentiles
}

func (c *Config) namespace() string { return cmp.Or(c.Namespace, DefaultNamespace) }

func (c *Config) resolution() time.Duration { return cmp.Or(c.Resolution, time.Minute) }

// ParseNamespace reads a namespace, as CloudWatch takes it from others than AWS
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html).
func ParseNamespace(text string) (string, error) {
	switch {
	case text == "" || len(text) > 255 || !namespaces.MatchString(text) || text[0] == ':':
		return "", input.Refuse(text, "1 to 255 letters, digits and ./_#:-, not beginning with a colon, e.g. "+DefaultNamespace)
	case strings.HasPrefix(text, "AWS/"):
		return "", input.Refuse(text, "a namespace that does not begin with AWS/, which is AWS's own")
	}
	return text, nil
}

var namespaces = regexp.MustCompile(`^[A-Za-z0-9./_#:-]+$`)

// ParseService reads the value of the dimension Service, which has to be one of CloudWatch's as it stands.
func ParseService(text string) (string, error) {
	if text == "" || dimension(text) != text {
		return "", input.Refuse(text, fmt.Sprintf("1 to %d ASCII letters, digits and signs, not beginning with a colon or a space, e.g. checkout", maxDimension))
	}
	return text, nil
}

// ParseResolution reads a resolution in seconds.
func ParseResolution(text string) (time.Duration, error) {
	switch strings.TrimSuffix(text, "s") {
	case "60":
		return time.Minute, nil
	case "1":
		return time.Second, nil
	}
	if text == "1m" {
		return time.Minute, nil
	}
	return 0, input.Refuse(text, "60 or 1 (seconds)")
}

// serviceOf is the dimension Service of a run.
func serviceOf(c *Config, m *result.Meta) string {
	host := func(text string) string {
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			return u.Host
		}
		if !strings.Contains(text, "://") && !strings.HasPrefix(text, "/") {
			return text // "embedded", or a name that the program gave it
		}
		return ""
	}
	name := cmp.Or(c.Service, plan.Trim(m.Plan.Name), host(m.Plan.Host))
	for i := 0; name == "" && i < len(m.Endpoints); i++ {
		name = host(m.Endpoints[i].URL)
	}
	return dimension(cmp.Or(name, "unnamed"))
}

// runOf is the dimension Run of a run: its tag "run", by which tasks that are one run say so, else the result's id.
func runOf(m *result.Meta) string { return dimension(cmp.Or(m.Plan.Tags["run"], m.ID)) }

// maxDimension is how long the value of a dimension may be
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html).
const maxDimension = 1024

// dimension is a text as CloudWatch takes it for the value of a dimension: ASCII without control characters, not blank, not
// beginning with a colon, not too long. What is not so is percent-encoded; of a longer one the end is replaced by a
// digest of all of it, so that two stay two.
func dimension(text string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c > '~' || i == 0 && (c == ':' || c == ' ') {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	out := b.String()
	if len(out) > maxDimension {
		sum := sha256.Sum256([]byte(text))
		digest := "~" + hex.EncodeToString(sum[:8])
		out = out[:maxDimension-len(digest)] + digest
	}
	return out
}
