// Package attack turns a plan into requests, and each request into one measured sample.
//
// Both load models ride on one vegeta Attacker. The pacer waits inside Pace until the next send is
// due, puts a ticket (who sends what, and when it should have been sent) into a queue and returns;
// vegeta hands the tick to a worker; the worker's round trip takes the next ticket from the queue and
// sends that user's own request. Who sends what never depends on the order in which workers wake,
// because identity is whatever was taken from the queue. See docs/architecture.md.
//
// What each model promises:
//
//   - closed: a user has one request at a time, waits for its answer, pauses and sends again. The
//     intended time of a send is known from the user's own past.
//   - open: sends follow the plan's curve whatever the answers do. Above max-in-flight they wait
//     for a slot and go out late; the intended time stays, so corrected latency tells.
//
// In both, lag (the generator's own lateness) and the wait for a slot (the target's doing) are
// told apart for every send. Nothing is dropped while time is left to send it, and what is dropped
// is counted: offered = sent + dropped, sent = completed + abandoned.
//
// The package does not judge what it measures, print, or write. It follows redirects, keeps
// cookies, sets deadlines and drains bodies itself, below vegeta, whose own request, result and
// statistics are ignored. It uses no proxy and asks for no compression that the plan does not name:
// both would put something other than the target between the two clocks.
package attack
