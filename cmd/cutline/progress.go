package main

import (
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// manyInputs is the number of photos from which a bar is worth its line.
const manyInputs = 10

// progress shows on a terminal how far a run is. The zero value shows nothing.
type progress struct{ bar *progressbar.ProgressBar }

func newProgress(messages io.Writer, total int) progress {
	if total < manyInputs || !isTerminal(messages) {
		return progress{}
	}
	return progress{progressbar.NewOptions(total,
		progressbar.OptionSetWriter(messages),
		progressbar.OptionSetItsString("photo"),
		progressbar.OptionShowIts(),
		progressbar.OptionShowCount(),
		progressbar.OptionFullWidth(),
		progressbar.OptionClearOnFinish(),
	)}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// stage shows on a terminal what is being done, in the place of the stage before; an
// empty one clears the line.
func (c *console) stage(what string) {
	if isTerminal(c.messages) {
		fmt.Fprintf(c.messages, "\r\x1b[K%s", what)
	}
}

// A bar that cannot be drawn is no reason to fail, so the methods below drop
// its errors.

// hide clears the bar's line for one of output.
func (p progress) hide() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// step counts one photo and draws the bar again.
func (p progress) step() {
	if p.bar != nil {
		_ = p.bar.Add(1)
	}
}
