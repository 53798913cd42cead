//go:build !windows

package attack

import (
	"net"
	"syscall"
	"testing"

	"scalableappbackend/loadgen/measure"
)

// Without a descriptor the resolver cannot read its own files, and says that there is no such host.
func TestALookupWithoutADescriptorIsTheGeneratorsFailure(t *testing.T) {
	notFound := &net.DNSError{Err: "no such host", Name: "localhost", IsNotFound: true}
	if got := Classify(notFound, Connecting); got != measure.KindNoHost {
		t.Errorf("with descriptors: %v", got)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Skip(err)
	}
	less := limit
	less.Cur = 1
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &less); err != nil {
		t.Skip(err)
	}
	found, failed := Classify(notFound, Connecting), Classify(&net.DNSError{Err: "server misbehaving"}, Connecting)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if found != measure.KindFiles || failed != measure.KindFiles {
		t.Errorf("without descriptors: %v and %v, want %v", found, failed, measure.KindFiles)
	}
}
