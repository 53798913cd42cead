// Package tui shows a run in a terminal while it goes on: how far it is, what is sent and answered,
// how long that takes, what fails, and whether the generator keeps up.
//
// A [Screen] is a result.Sink. It reads windows and owns no truth: its numbers are sums over windows, of
// the last 10 s where it says so, and the generator is judged by package validity. When the terminal is
// slow, the screen is late, and the run is not. When it cannot be drawn on, the run goes on without,
// and Close says why. It takes two keys, q and ctrl+c, and stops nothing itself: it calls the function that
// it was given. Others change the load of a run that it was given to steer, see [Screen.Steer]. When it is closed it is gone from the terminal.
package tui
