package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Exit statuses.
const (
	statusDone   = 0
	statusFailed = 1
	statusUsage  = 2
)

// usageError is a mistake in the command line: the exit status is 2.
type usageError struct {
	reason string
	hint   string // what to do, or empty
}

func (e *usageError) Error() string { return e.reason }

// failure is an error with something to do about it.
type failure struct {
	error
	hint string
}

func (f *failure) Unwrap() error { return f.error }

// errReported is returned by a verb that went on after errors, each of which
// it has told already.
var errReported = errors.New("some inputs failed")

// fail tells the error, if there is one to tell, and returns the exit status.
func (c *console) fail(err error) int {
	var usage *usageError
	var hinted *failure
	switch {
	case err == nil:
		return statusDone
	case errors.Is(err, errReported):
		return statusFailed
	case errors.As(err, &usage):
		c.error(usage.reason, usage.hint)
		return statusUsage
	case errors.As(err, &hinted):
		c.error(err.Error(), hinted.hint)
		return statusFailed
	default:
		c.error(err.Error(), "")
		return statusFailed
	}
}

// error writes one message, and a hint on a second line where there is one.
func (c *console) error(message, hint string) {
	fmt.Fprintf(c.messages, "cutline: error: %s\n", oneLine(message))
	if hint != "" {
		fmt.Fprintf(c.messages, "cutline: hint: %s\n", hint)
	}
}

// fileError tells what is wrong with one input. The name comes first, so it is
// taken out of what the operating system says.
func (c *console) fileError(name string, err error) {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	c.error(name+": "+err.Error(), "")
}

// oneLine keeps a message on one line, whatever a file is called.
func oneLine(s string) string {
	return strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(s)
}
