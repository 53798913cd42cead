// Package tui shows a run in a terminal while it goes on: progress, requests, latency, errors, and whether the
// generator keeps up.
//
// A [Screen] is a result.Sink. Its numbers are sums over windows, some of them of the last 10 s, and package validity
// judges the generator. A slow terminal delays the screen and not the run. If the terminal cannot be drawn on, the run goes on
// without a screen, and Close returns the reason. The keys q and ctrl+c call the function Stop. Other keys change the load of a run,
// see [Screen.Steer]. Close removes the screen from the terminal.
package tui
