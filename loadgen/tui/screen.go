package tui

import (
	"fmt"
	"io"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// Screen draws a run. Its fields are set before the run starts it; Output is needed.
type Screen struct {
	result.NopSink
	Title  string // what is sent where
	Output io.Writer
	Input  io.Reader // of keys; nil when there are none
	// Environ says what the terminal can do: TERM, COLORTERM, NO_COLOR and their kind.
	Environ []string
	Styled  bool
	// Service, when not 0, makes it the view of a service whose capacity is watched until then on the run's clock: load,
	// latency, tasks and alarms on one axis. See [Screen.Facts] and [Screen.News].
	Service time.Duration
	// Stop is called for each q and Ctrl-C, with what was typed in words. It may be nil when there is no Input.
	Stop func(key string)

	mu       sync.Mutex // Stopping comes from anywhere
	program  *tea.Program
	capacity timeline.Ledger
	ended    chan struct{}
	err      error // of the program, once ended is closed
}

// framesPerSecond is how often the terminal is written to at most; a run has something new once a second.
const framesPerSecond = 10

// Start begins to draw.
func (s *Screen) Start(meta *result.Meta) error {
	first := model{
		title:       s.Title,
		planned:     meta.Plan.Length(),
		stopTimeout: time.Duration(meta.Plan.StopTimeout),
		closedModel: meta.Plan.Model != plan.Open,
		bench:       meta.Plan.Model == plan.Bench,
		keys:        s.Input != nil,
		styled:      s.Styled,
		stop:        s.Stop,
	}
	for _, e := range meta.Endpoints {
		first.endpoints = append(first.endpoints, e.Name)
	}
	if s.Service > 0 {
		first.service = &service{axis: s.Service}
	}
	program := tea.NewProgram(first,
		tea.WithOutput(s.Output), tea.WithInput(s.Input), tea.WithEnvironment(s.Environ),
		tea.WithWindowSize(80, 24), // of an output that has none
		tea.WithFPS(framesPerSecond), tea.WithoutSignalHandler())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, s.err = program.Run()
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.program, s.ended = program, ended
	return nil
}

func (s *Screen) started() *tea.Program {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.program
}

// Window shows a window.
func (s *Screen) Window(w *result.Window) error {
	s.program.Send(windowMsg{w})
	return nil
}

// Facts shows what capacity has done.
func (s *Screen) Facts(f *result.Facts) error {
	s.capacity.Tell(f.Facts...)
	s.capacity.Seen(f.Until)
	if t := s.capacity.Timeline(f.Until); t != nil {
		s.program.Send(timelineMsg{t})
	}
	return nil
}

// News shows a line below the others.
func (s *Screen) News(text string) {
	if p := s.started(); p != nil {
		p.Send(newsMsg{text})
	}
}

// Stopping says that the run was asked to stop, and why. It may be called from any goroutine at any time.
func (s *Screen) Stopping(cause string) {
	if p := s.started(); p != nil {
		p.Send(stoppingMsg{cause})
	}
}

// Close takes the screen off the terminal, and says why there was none if so. It may be called more than
// once, and before Start.
func (s *Screen) Close() error {
	p := s.started()
	if p == nil {
		return nil
	}
	p.Send(closeMsg{}) // nobody listens to a second one
	<-s.ended
	if s.err != nil {
		return fmt.Errorf("progress view: %w", s.err)
	}
	return nil
}
