//go:build !linux && !darwin

package validity

// bootID is not known here.
func bootID() string { return "" }
