//go:build !linux

package attack

// newAlarm returns the most exact alarm of this system.
func newAlarm() alarm { return newTimerAlarm() }
