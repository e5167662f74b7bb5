package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gomlx/compute"

	"github.com/cutline-go/cutline/internal/engine"
)

// opened is work that is ready. run returns what one of the timed times took.
type opened struct {
	run   func(ctx context.Context, untimed, timed int) (time.Duration, error)
	close func()
}

// server does what a [side] is asked, with this project's networks on an engine.
type server struct {
	name     string // of the engine
	training string // of the engine that trains
	engine   compute.Backend
	work     *opened
}

func serve(ctx context.Context, name string, in io.Reader, out io.Writer) error {
	s := &server{name: name, training: name}
	if name == cutline {
		s.training += ":training"
	}
	defer s.close()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		answer, err := s.answer(ctx, strings.Fields(lines.Text()))
		if err != nil {
			answer = strings.ReplaceAll(err.Error(), "\n", " ")
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (s *server) answer(ctx context.Context, words []string) (string, error) {
	if len(words) == 0 {
		return "", errors.New("an empty line")
	}
	switch command, numbers := words[0], words[1:]; command {
	case "version":
		return s.version(), nil
	case "open":
		return "ready", s.open(numbers)
	case "close":
		s.close()
		return "closed", nil
	case "run":
		n, err := integers(numbers, 2)
		if err != nil {
			return "", err
		}
		if s.work == nil {
			return "", errors.New("nothing is open")
		}
		took, err := s.work.run(ctx, n[0], n[1])
		return fmt.Sprintf("%.4f", took.Seconds()*1000), err
	}
	return "", fmt.Errorf("unknown command %q", words[0])
}

func (s *server) version() string {
	kind, _, _ := strings.Cut(s.name, ":")
	text := fmt.Sprintf("engine %s, %s, GOMAXPROCS %d", kind, runtime.Version(), runtime.GOMAXPROCS(0))
	if kind != "onnx" {
		text += "; kernels: " + engine.Kernels()
	}
	return text
}

// open prepares the work of that name and sizes.
func (s *server) open(words []string) error {
	s.close()
	if len(words) == 0 {
		return errors.New("no work is named")
	}
	kind, ok := kinds()[words[0]]
	if !ok {
		return fmt.Errorf("unknown work %q", words[0])
	}
	sizes, err := integers(words[1:], kind.sizes)
	if err != nil {
		return err
	}
	name := s.name
	if kind.trains {
		name = s.training
	}
	if s.engine, err = engine.Open(name); err != nil {
		return err
	}
	s.work, err = kind.open(s.engine, sizes)
	return err
}

// close gives back what was open.
func (s *server) close() {
	if s.work != nil {
		s.work.close()
	}
	if s.engine != nil {
		s.engine.Finalize()
	}
	s.work, s.engine = nil, nil
	debug.FreeOSMemory()
}

func integers(words []string, count int) ([]int, error) {
	if len(words) != count {
		return nil, fmt.Errorf("%d numbers, want %d", len(words), count)
	}
	numbers := make([]int, count)
	for i, word := range words {
		n, err := strconv.Atoi(word)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%q is no number", word)
		}
		numbers[i] = n
	}
	return numbers, nil
}

// repeated is work whose times are all alike.
func repeated(once func(ctx context.Context) error, close func()) *opened {
	return &opened{
		close: close,
		run: func(ctx context.Context, untimed, timed int) (time.Duration, error) {
			for range untimed {
				if err := once(ctx); err != nil {
					return 0, err
				}
			}
			start := time.Now()
			for range timed {
				if err := once(ctx); err != nil {
					return 0, err
				}
			}
			return time.Since(start) / time.Duration(max(timed, 1)), nil
		},
	}
}
