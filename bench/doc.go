// Command bench measures loadgen beside the load generators that people would use instead, on one machine, and writes
// what it saw as a page of Markdown.
//
//	bench/run.sh                        installs what is missing and writes docs/performance.md
//	go run ./bench -install=false       what is there, to stdout: some four minutes
//	go run ./bench -profile full -rounds 8 -only 'loadgen bench,wrk'
//
// A machine is not quiet and not the same from one hour to the next, so single times mean nothing. In each round all
// tools run once, in an order that is turned by one from round to round, each pinned to one processor with the server
// on another; what is shown is the median over the rounds, with minimum and maximum, and ratios within the round. CPU
// time and memory are what the system says of the finished process and its children. How many requests there were is
// asked of the server, because the tools do not count alike.
//
// Tools that are missing are installed into a folder of their own with the package manager of their language; what
// cannot be installed is left out and named.
package main
