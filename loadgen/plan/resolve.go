package plan

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"scalableappbackend/internal/input"
)

// AnyHost as the host of a [Resolve] stands for every host that no other one names.
const AnyHost = "*"

const wantResolve = "HOST:PORT:ADDRESS as curl has it, e.g. example.com:443:127.0.0.1 or example.com:443:[::1]"

// Resolve is a host whose addresses are given instead of looked up, for one port, as curl's --resolve has it. What is
// sent does not change: the Host header and the name in the certificate stay the host's.
type Resolve struct {
	Host      string // in lower case as DNS has it (punycode), an IP address without brackets, or AnyHost
	Port      int
	Addresses []netip.Addr // tried in this order; text form: HOST:PORT:ADDRESS[,ADDRESS]…, IPv6 in brackets
}

// ParseResolve reads "HOST:PORT:ADDRESS[,ADDRESS]…". IPv6 addresses may stand in brackets.
func ParseResolve(text string) (Resolve, error) {
	s := strings.TrimSpace(text)
	host, rest, ok := strings.Cut(s, ":")
	if strings.HasPrefix(s, "[") {
		host, rest, ok = strings.Cut(s[1:], "]:")
	}
	port, list, found := strings.Cut(rest, ":")
	n, err := strconv.Atoi(port)
	if !ok || !found || err != nil {
		return Resolve{}, input.Refuse(s, wantResolve)
	}
	r := Resolve{Host: asciiHost(host), Port: n}
	for each := range strings.SplitSeq(list, ",") {
		each = strings.TrimSpace(each)
		if inner, isBracketed := strings.CutPrefix(each, "["); isBracketed {
			each, ok = strings.CutSuffix(inner, "]")
		}
		address, err := netip.ParseAddr(each)
		if err != nil || !ok {
			return Resolve{}, input.Refuse(s, wantResolve)
		}
		r.Addresses = append(r.Addresses, address)
	}
	if !r.valid() {
		return Resolve{}, input.Refuse(s, wantResolve)
	}
	return r, nil
}

// asciiHost is a host as it is looked up: in lower case, and letters beyond ASCII as punycode has them.
func asciiHost(host string) string {
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		return ascii
	}
	return strings.ToLower(host)
}

func (r Resolve) valid() bool {
	isHostName := r.Host == AnyHost || r.Host != "" && !strings.ContainsAny(r.Host, " \t/@,[]*?#%")
	return isHostName && 1 <= r.Port && r.Port <= 65535 && len(r.Addresses) > 0 &&
		!slices.ContainsFunc(r.Addresses, func(a netip.Addr) bool { return !a.IsValid() })
}

// String is the form that ParseResolve reads back.
func (r Resolve) String() string {
	host := r.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	var list []string
	for _, a := range r.Addresses {
		if a.Is6() {
			list = append(list, "["+a.String()+"]")
			continue
		}
		list = append(list, a.String())
	}
	return host + ":" + strconv.Itoa(r.Port) + ":" + strings.Join(list, ",")
}

func (r Resolve) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

func (r *Resolve) UnmarshalText(text []byte) (err error) {
	*r, err = ParseResolve(string(text))
	return err
}

// Addresses returns what is given for a host and port instead of looking it up; nil when nothing is. AnyHost counts
// where nothing else does, and of two entries the later one.
func (c *Client) Addresses(host, port string) []netip.Addr {
	host = asciiHost(strings.TrimSuffix(host, "."))
	var found []netip.Addr
	named := false
	for i := range c.Resolve {
		r := &c.Resolve[i]
		if strconv.Itoa(r.Port) != port {
			continue
		}
		switch {
		case strings.TrimSuffix(r.Host, ".") == host:
			found, named = r.Addresses, true
		case r.Host == AnyHost && !named:
			found = r.Addresses
		}
	}
	return found
}
