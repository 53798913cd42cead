package result

// Difference finds the first place where two values differ as JSON, in order of names: its path, e.g.
// client.timeout, and what stands there on either side.
func Difference(a, b any) (path, inA, inB string, found bool, err error) {
	d, found, err := differ(a, b)
	return d.path, d.a, d.b, found, err
}
