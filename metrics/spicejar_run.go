package metrics

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// run hands the input to the jar and returns what it wrote. Its files live in
// a folder of their own, which is gone afterwards.
func (j Jar) run(ctx context.Context, input []byte) ([]byte, error) {
	if j.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, j.Timeout)
		defer cancel()
	}
	dir, err := os.MkdirTemp("", "cutline-spice-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	in, out := filepath.Join(dir, "in.json"), filepath.Join(dir, "out.json")
	if err := os.WriteFile(in, input, 0o600); err != nil {
		return nil, err
	}
	if j.Cache != "" {
		if err := os.MkdirAll(j.Cache, 0o755); err != nil {
			return nil, err
		}
	}
	if err := j.start(ctx, in, out); err != nil {
		return nil, err
	}
	output, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("%s wrote no results: %w", j.Path, err)
	}
	return output, nil
}

func (j Jar) start(ctx context.Context, in, out string) error {
	args := []string{"-Xmx" + j.Memory, "-jar", j.Path, in}
	if j.Cache != "" {
		args = append(args, "-cache", j.Cache)
	}
	args = append(args, "-out", out, "-subset", "-silent")
	cmd := exec.CommandContext(ctx, j.Java, args...)
	// A killed program's children may hold its output open.
	cmd.WaitDelay = 2 * time.Second
	printed := &tail{limit: 4096}
	cmd.Stdout, cmd.Stderr = printed, printed
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("%s did not finish: %w", j.Path, context.Cause(ctx))
	} else {
		err = fmt.Errorf("%s with java %q: %w", j.Path, j.Java, err)
	}
	if lines := printed.lines(5); lines != "" {
		err = fmt.Errorf("%w; last lines: %s", err, lines)
	}
	return err
}

// tail keeps the end of what is written to it: a Java program may print
// megabytes before the exception that matters.
type tail struct {
	limit int
	bytes []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.bytes = append(t.bytes, p...)
	if len(t.bytes) > 2*t.limit {
		t.bytes = append(t.bytes[:0], t.bytes[len(t.bytes)-t.limit:]...)
	}
	return len(p), nil
}

// lines returns the last n lines that are not blank, on one line.
func (t *tail) lines(n int) string {
	var lines []string
	for line := range strings.Lines(string(t.bytes)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-n):], " | ")
}
