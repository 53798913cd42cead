// Package http1 reads HTTP/1.1 answers as a load generator has to: it finds where an answer ends and what its
// status is, counts its body, and keeps nothing of it.
//
// A [Reader] is fed the bytes as the connection delivers them, in pieces of any size, and needs no goroutine, no
// buffered reader and, once warm, no memory. It does no I/O and has no clock: whoever owns the connection decides how
// to wait, for how long, and what time it is. That makes one parser serve a loop over many connections and a
// goroutine with one connection alike.
//
// It accepts what net/http's client accepts and refuses what that refuses, with few and stricter exceptions that are
// listed at [Reader.Feed]; a fuzz test holds the two to each other. It does not follow redirects, does not decompress,
// and does not read requests.
package http1
