package plan

import (
	"net/http"
	"slices"
	"testing"
)

func TestAPlanNamesItsReferencesOnce(t *testing.T) {
	p := Default()
	p.Client.Header = http.Header{"Authorization": {"Bearer ${TOKEN}"}}
	p.Targets = []Target{{URL: "${HOST}/a?k=${KEY}&l=$${NOT}"}, {URL: "/b", Header: http.Header{"X": {"${TOKEN}", "${B}"}}}}
	if got, want := p.References(), []string{"TOKEN", "HOST", "KEY", "B"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
