// Package bench puts load on a service as fast as the machine can: a number of connections, each of which sends its
// next request as soon as it has its answer. It has no think time, no users and no schedule, and so needs none of
// package attack's machinery; what it measures goes through the same recorder into the same windows, verdict and
// result.
//
// On Linux, plain HTTP is driven by one loop for each processor: a goroutine with its share of the connections, a
// level-triggered epoll, and two system calls a request (send, receive) beside the wait that many answers share. It
// reads up to 32 answers in a row before it sends these connections' next requests. TLS,
// several hosts, cookies, expected texts, a maximum age and other systems take a goroutine for each connection over
// package wire, and so does, from then on, a connection whose answer redirects. Both read answers with package http1.
//
// A request is due the instant its connection is free. What passes between that and the write is the generator's own
// lag, and what passes between an answer's arrival and its read is part of the latency, since nobody can tell it from
// the service's time; so rate × (mean latency + mean lag) is the number of connections.
//
// Requests take turns in the order of the plan, on each connection; their weights are how often. It has no schedule that
// could be missed, and makes no claim about how a service does at a rate below its limit: that is package attack's.
package bench
