package store

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"
)

// Memory are objects in memory, for tests. The zero value is empty and ready to use.
type Memory struct {
	// Before, when not nil, is asked before each call: op is "put", "create", "get" or "list". Its error is the call's. It may
	// wait, for an endpoint that is slow. It is set before the first call.
	Before func(ctx context.Context, op, name string) error

	mu   sync.Mutex
	held map[string]held
}

type held struct {
	content  []byte
	modified time.Time
}

func (m *Memory) before(ctx context.Context, op, name string) error {
	if m.Before != nil {
		if err := m.Before(ctx, op, name); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Put is of [Objects].
func (m *Memory) Put(ctx context.Context, name string, content io.ReadSeeker) error {
	if err := m.before(ctx, "put", name); err != nil {
		return err
	}
	return m.put(name, content, true)
}

// Create is of [Objects].
func (m *Memory) Create(ctx context.Context, name string, content io.ReadSeeker) error {
	if err := m.before(ctx, "create", name); err != nil {
		return err
	}
	return m.put(name, content, false)
}

func (m *Memory) put(name string, content io.ReadSeeker, replace bool) error {
	data, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.held[name]; there && !replace {
		return fmt.Errorf("%s: %w", name, fs.ErrExist)
	}
	if m.held == nil {
		m.held = map[string]held{}
	}
	m.held[name] = held{data, time.Now()}
	return nil
}

// Get is of [Objects].
func (m *Memory) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := m.before(ctx, "get", name); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, there := m.held[name]
	if !there {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return io.NopCloser(bytes.NewReader(o.content)), nil
}

// List is of [Objects].
func (m *Memory) List(ctx context.Context, prefix string) (all []Object, err error) {
	if err := m.before(ctx, "list", prefix); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, o := range m.held {
		if strings.HasPrefix(name, prefix) {
			all = append(all, Object{name, int64(len(o.content)), o.modified})
		}
	}
	slices.SortFunc(all, byName)
	return all, nil
}
