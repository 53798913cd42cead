// Package report says what a result holds: as a document of blocks (see [Document]), which package document prints as
// text for a terminal and as Markdown for a pull request; and as files for programs: JSON, Locust's CSV, JUnit and
// HdrHistogram's percentile distribution.
//
// It promises that every format says the same: all are made of one [result.Result], and where a
// format needs more digits than that holds, of the windows beside it. A document has what people look for first at its
// top: the verdict, requests, rate and errors with their endpoint, then latencies and limits. Raw and corrected latency
// stand beside each other, and when they are far apart the report says so and names the cause.
//
// Where there is a timeline of capacity, the document tells the story of scaling: load, latency
// and capacity on one axis of time, what the autoscaler did in AWS's words, and what was expected of
// it. The same story of a simulation, and the table of a sweep, have writers of their own. Instants
// and lengths in brackets are simulated time. Nothing of the story is computed here but how long chaos lasted: the
// figures are those of package timeline.
//
// A run that is INVALID is reported with every number and with no claim: nothing is said of the
// service, only what the generator saw. Users who never ran are not claimed either.
//
// The same input gives the same bytes. The package measures and judges nothing, and
// prints numbers for people through package units alone.
package report
