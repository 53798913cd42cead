// Package http1 reads HTTP/1.1 answers for a load generator: it finds the status and the end of an answer and counts
// the bytes of its body, which it does not keep.
//
// A [Reader] is fed the bytes as the connection delivers them, in pieces of any size, and needs no goroutine, no
// buffered reader and, once warm, no memory. It does no I/O and has no clock: whoever owns the connection decides how
// to wait, for how long, and what time it is. So the same parser works in a loop over many connections and in a
// goroutine with one connection.
//
// It accepts and refuses the same answers as net/http's client, with few and stricter exceptions that are
// listed at [Reader.Feed]; a fuzz test compares the two. It does not follow redirects, does not decompress,
// and does not read requests.
package http1
