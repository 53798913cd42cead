package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// model is what the screen shows. Update and View are functions of it: nothing in it is changed once
// it was shown.
type model struct {
	title       string
	endpoints   []string      // their names, by index
	planned     time.Duration // length of the load
	stopTimeout time.Duration
	closedModel bool // of load: it has users
	bench       bool // whose users are connections
	keys        bool // there is a keyboard
	styled      bool
	width       int
	height      int
	service     *service         // nil: nobody watches capacity
	stop        func(key string) // what q and ctrl+c call

	last     *result.Window // nil before the first
	totals   totals
	seconds  []second
	recent   []*result.Window
	stopping string // why, once it was asked for
	wheel    *wheel // nil: nobody steers the run
	said     string // of the last change
	closed   bool
}

// What a program sends to its model.
type (
	windowMsg   struct{ *result.Window }
	stoppingMsg struct{ cause string }
	timelineMsg struct{ *timeline.Timeline }
	newsMsg     struct{ text string }
	closeMsg    struct{}
)

func (m model) Init() tea.Cmd { return nil }

func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case windowMsg:
		m.last = msg.Window
		if msg.Revision != nil {
			m.planned = msg.Revision.Plan.Length()
		}
		m.totals = m.totals.with(msg.Window)
		m.seconds = withSecond(m.seconds, msg.Window)
		m.recent = withRecent(m.recent, msg.Window)
		if m.service != nil {
			s := *m.service
			s.windows = append(s.windows[:len(s.windows):len(s.windows)], msg.Window)
			m.service = &s
		}
	case stoppingMsg:
		m.stopping = msg.cause
	case timelineMsg:
		if m.service != nil {
			s := *m.service
			s.timeline = msg.Timeline
			m.service = &s
		}
	case newsMsg:
		if m.service != nil {
			s := *m.service
			s.news = append(s.news[:len(s.news):len(s.news)], msg.text)
			m.service = &s
		}
	case steerMsg:
		m.wheel = msg.wheel
	case editedMsg:
		m.said = msg.said
	case closeMsg:
		m.closed = true
		return m, tea.Quit
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		switch msg.String() {
		case "q", "Q":
			return m, m.ask("key q")
		case "ctrl+c":
			return m, m.ask("Ctrl-C")
		}
		return m, m.press(msg.String())
	}
	return m, nil
}

// ask is a command, because what it calls may wait and Update must not.
func (m model) ask(key string) tea.Cmd {
	return func() tea.Msg {
		m.stop(key)
		return nil
	}
}
