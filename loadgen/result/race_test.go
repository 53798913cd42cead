//go:build race

package result

// underRace says that the race detector is on. It makes compressing some twenty times slower, and
// has nothing to find where one goroutine works.
const underRace = true
