// Package report turns a result into text for a terminal, Markdown for a pull request, JSON, Locust's
// CSV and HdrHistogram's percentile distribution.
//
// It promises that every format says the same: all are made of one [result.Result], and where a
// format needs more digits than that holds, of the windows beside it. The terminal's text fits one
// screen and begins with the verdict. Raw and corrected latency stand side by side, and when they
// are far apart the report says so and names the cause.
//
// Where there is a timeline of capacity, text and Markdown tell the story of scaling: load, latency
// and capacity on one axis of time, what the autoscaler did in AWS's words, and what was expected of
// it. The same story of a simulation, and the table of a sweep, have writers of their own. Instants
// and lengths in brackets are service time. Nothing of the story is computed here but its layout,
// and how long chaos lasted: the figures are those of package timeline.
//
// A run that is INVALID is reported with every number and with no claim: nothing is said of the
// service, only what the generator saw.
//
// What comes from outside (names, answers' headers, messages) is printed without control
// characters, so that a server cannot write to the reader's terminal, and without meaning to
// Markdown. The same input gives the same bytes. The package measures and judges nothing, and
// prints numbers for people through package units alone.
package report
