package main

import (
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"scalableappbackend/loadgen/plan"
)

// noteOfProxy says once that a proxy which the environment names for the plan's hosts is not used; "" when it names none. What
// NO_PROXY leaves out is left out, and so is this machine, as in other programs.
func noteOfProxy(p *plan.Plan, variable func(string) (string, bool)) string {
	names := map[string]string{} // by scheme: the variable that counts
	config := httpproxy.Config{}
	for _, v := range []struct {
		scheme string
		to     *string
		names  []string
	}{
		{"http", &config.HTTPProxy, []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"}},
		{"https", &config.HTTPSProxy, []string{"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"}},
		{"", &config.NoProxy, []string{"NO_PROXY", "no_proxy"}},
	} {
		for _, name := range v.names {
			if value, ok := variable(name); ok {
				*v.to, names[v.scheme] = value, name
				break
			}
		}
	}
	proxy := config.ProxyFunc()
	addresses := []string{p.Host}
	for _, t := range p.Targets {
		addresses = append(addresses, t.URL)
	}
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || !strings.HasPrefix(u.Scheme, "http") {
			continue
		}
		if via, _ := proxy(u); via != nil { // an error is of a proxy that nobody could use
			return names[u.Scheme] + " is not used: loadgen sends straight to the host; to measure through the proxy, make it the host"
		}
	}
	return ""
}
