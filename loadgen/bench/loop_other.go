//go:build !linux

package bench

// newDrivers are goroutines: there is no loop for this system.
func (b *Bench) newDrivers() []driver { return b.goroutines() }
