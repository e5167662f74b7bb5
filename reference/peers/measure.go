package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// pause lets the threads of the side before go to sleep: most spin for a while after work.
const pause = 100 * time.Millisecond

// measured is what a piece of work took.
type measured struct {
	work
	times   map[string][]float64 // milliseconds of each turn that counts, by side, sorted
	refused map[string]error     // why a side does not do it
}

// measure lets the sides do their turns, one after another in each round. A side that fails
// has no part in the work.
func measure(ctx context.Context, w work, sides []*side, rounds int) measured {
	m := measured{w, map[string][]float64{}, map[string]error{}}
	ready := slices.DeleteFunc(slices.Clone(sides), func(s *side) bool {
		return w.sides != nil && !slices.Contains(w.sides, s.name) || m.fails(s, s.open(w))
	})
	for turn := range w.warmUp + rounds {
		ready = slices.DeleteFunc(ready, func(s *side) bool {
			time.Sleep(pause)
			if ctx.Err() != nil {
				return false
			}
			took, err := s.run(w)
			if err == nil && turn >= w.warmUp {
				m.times[s.name] = append(m.times[s.name], took)
			}
			return m.fails(s, err)
		})
	}
	for _, s := range ready {
		slices.Sort(m.times[s.name])
		_, err := s.ask("close")
		m.fails(s, err)
	}
	return m
}

// fails tells whether there is an error, after which nothing that the side did counts.
func (m measured) fails(s *side, err error) bool {
	if err == nil {
		return false
	}
	m.refused[s.name] = err
	delete(m.times, s.name)
	_, _ = s.ask("close")
	return true
}

// median is that of a side's turns; 0 where it had none.
func (m measured) median(side string) float64 {
	t := m.times[side]
	if len(t) == 0 {
		return 0
	}
	return (t[(len(t)-1)/2] + t[len(t)/2]) / 2
}

// bestPeer is the side that is fastest beside this project's; "" where there is none.
func (m measured) bestPeer() string {
	found := ""
	for name := range m.times {
		if name != cutline && (found == "" || m.median(name) < m.median(found)) {
			found = name
		}
	}
	return found
}

// ratio is how many times as fast as a side this project's is; 0 where one of them was not
// measured.
func (m measured) ratio(side string) float64 {
	if m.median(cutline) == 0 {
		return 0
	}
	return m.median(side) / m.median(cutline)
}

func (m measured) String() string {
	var parts []string
	for name := range m.times {
		parts = append(parts, fmt.Sprintf("%s %.4g", name, m.median(name)))
	}
	for name, err := range m.refused {
		parts = append(parts, fmt.Sprintf("%s does not: %v", name, err))
	}
	slices.Sort(parts)
	return m.name + ": " + strings.Join(parts, ", ")
}
