// Package plan says what a run sends and when: a profile of users or of a rate over time, and the
// targets that requests go to.
//
// A [Plan] is plain data. It is written to plan.json as it stands and can be run again from there:
// it holds the references ${NAME} of a target file, not their values, and [Plan.Redacted] takes out
// what must not be kept. [Default] is the profile of the system this project came from: 50 users,
// 5 started each second, 3 minutes, GET / and GET /health, 50 to 200 ms of think time.
//
// [Plan.Validate] collects everything that is wrong, each as a [input.Error]; every Plan that it accepts can
// run. [Plan.Prepare] then fills in the environment, reads the files that the plan names and
// computes the [Curve] and the phases; after it, nothing about the load depends on input any more.
//
// The package does no networking, starts nothing, and reads the environment only through the
// lookup function that it is given.
package plan
