//go:build !linux

package lab

// listening is not known here.
func listening(int) []string { return nil }

// withEnvironment is not known here.
func withEnvironment(string) []int { return nil }
