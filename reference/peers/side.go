package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// side is a process that measures itself. To each line it answers with one:
//
//	version           what it is
//	open WORK         "ready", or why not
//	run UNTIMED TIMED the milliseconds of one of the timed times, or why not
//	close             "closed", when it has given the work's memory back
type side struct {
	name, version string
	process       *exec.Cmd
	in            io.WriteCloser
	out           *bufio.Scanner
}

// startSides starts processes given as NAME=COMMAND, words of the command parted by spaces.
func startSides(args []string) ([]*side, error) {
	var sides []*side
	for _, arg := range args {
		name, command, _ := strings.Cut(arg, "=")
		s, err := startSide(name, strings.Fields(command))
		if err != nil {
			return sides, fmt.Errorf("side %q: %w", name, err)
		}
		sides = append(sides, s)
	}
	if len(sides) == 0 || sides[0].name != cutline {
		return sides, fmt.Errorf("the first side must be %s=COMMAND", cutline)
	}
	return sides, nil
}

func startSide(name string, command []string) (*side, error) {
	if len(command) == 0 {
		return nil, errors.New("no command: give NAME=COMMAND")
	}
	s := &side{name: name, process: exec.Command(command[0], command[1:]...)}
	s.process.Stderr = os.Stderr
	var err error
	if s.in, err = s.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewScanner(out)
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	s.version, err = s.ask("version")
	return s, err
}

// ask sends a line and returns the answer.
func (s *side) ask(line string) (string, error) {
	if _, err := fmt.Fprintln(s.in, line); err != nil {
		return "", err
	}
	if !s.out.Scan() {
		return "", errors.Join(errors.New("it ended"), s.out.Err())
	}
	return s.out.Text(), nil
}

// open prepares work.
func (s *side) open(w work) error {
	answer, err := s.ask("open " + w.name)
	if err == nil && answer != "ready" {
		err = errors.New(answer)
	}
	return err
}

// run returns the milliseconds of one turn.
func (s *side) run(w work) (float64, error) {
	answer, err := s.ask(fmt.Sprintf("run %d %d", w.untimed, w.timed))
	if err != nil {
		return 0, err
	}
	took, err := strconv.ParseFloat(answer, 64)
	if err != nil {
		return 0, errors.New(answer)
	}
	return took, nil
}

func (s *side) stop() {
	_ = s.in.Close()
	_ = s.process.Wait()
}
