// Package wire sends HTTP/1.1 requests over connections that one user owns, and measures them.
//
// It does what net/http's Transport does for a client that has one request under way at a time, without that
// Transport's two goroutines, its copies of headers and its allocations for each request: the caller's goroutine
// writes the request and reads the answer, a request is rendered once and sent many times, and a time limit is a
// deadline of the connection. [Client.Do] promises net/http's behaviour in what a service or a user can see: which
// bytes are sent, when a connection is kept, and when a request is sent again because a kept connection turned out to
// be dead. What differs is listed at Client.
//
// A [User] follows redirects and keeps cookies on top of a Client: net/http's own Client decides what to ask next, and
// is only called when there is something to decide. The package does not speak HTTP/2, use proxies or decompress.
package wire
