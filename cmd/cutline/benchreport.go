package main

import (
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"

	"github.com/cutline-go/cutline/internal/bench"
	"github.com/cutline-go/cutline/internal/engine"
)

// benchReport is what bench measured, and on what.
type benchReport struct {
	Model      string `json:"model"`
	Parameters int    `json:"parameters"`
	Search     string `json:"search"`            // of whole captions
	Caption    string `json:"caption,omitempty"` // of the photo
	PhotoBytes int    `json:"photo_bytes"`

	Engine    string `json:"engine"`  // in its own words
	Kernels   string `json:"kernels"` // of the engines in pure Go
	Threads   int    `json:"threads"` // of Go
	Go        string `json:"go"`
	Processor string `json:"processor"`

	Stages     []bench.Stage `json:"stages"`
	Batches    []int         `json:"batches"`
	PeakMemory []int64       `json:"peak_memory_bytes"` // after whole captions, by batch
	Machine    bench.Machine `json:"machine"`
}

func newBenchReport(cmd *benchCmd, photo []byte) *benchReport {
	return &benchReport{
		PhotoBytes: len(photo), Batches: cmd.Batch,
		Kernels: engine.Kernels(), Threads: runtime.GOMAXPROCS(0),
		Go: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH, Processor: bench.Processor(),
	}
}

// text writes the report as Markdown: what was measured, a table, the machine.
func (r *benchReport) text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "- model: %s, %.1f million parameters\n", r.Model, float64(r.Parameters)/1e6)
	fmt.Fprintf(&b, "- captions: %s", r.Search)
	if r.Caption != "" {
		fmt.Fprintf(&b, "; the photo of %d bytes is %q", r.PhotoBytes, r.Caption)
	}
	fmt.Fprintf(&b, "\n- engine: %s; kernels: %s; threads of Go: %d\n", r.Engine, r.Kernels, r.Threads)
	fmt.Fprintf(&b, "- machine: %s, %s\n\n", r.Processor, r.Go)
	markdown(&b, r.rows())
	fmt.Fprintf(&b, "\nThe median of %d runs, and the fastest and slowest.\n", r.Stages[0].Measured)
	fmt.Fprintf(&b, "Memory at most resident after whole captions, by batch: %s.\n", r.memory())
	m := r.Machine
	fmt.Fprintf(&b, "Memory reads %.1f GB/s (a triad %.1f); the engine's fastest product of square matrices, of %d, does %.1f GFLOP/s.\n",
		m.Read, m.Triad, m.Product, m.GFLOPS)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *benchReport) rows() [][]string {
	rows := [][]string{{"stage", "batch", "ms", "fastest", "slowest", "per second"}}
	for _, s := range r.Stages {
		rows = append(rows, []string{
			s.Name, strconv.Itoa(s.Batch), threeDigits(s.Median), threeDigits(s.Fastest), threeDigits(s.Slowest), threeDigits(s.PerSecond),
		})
	}
	return rows
}

func (r *benchReport) memory() string {
	var parts []string
	for i, bytes := range r.PeakMemory {
		if bytes == 0 {
			return "not told by this system"
		}
		parts = append(parts, fmt.Sprintf("%d: %d MiB", r.Batches[i], bytes>>20))
	}
	return strings.Join(parts, ", ")
}

// threeDigits writes three significant digits, and all of those before the point.
func threeDigits(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// markdown writes a table whose first row is its heading and whose columns line up: the
// first to the left, numbers to the right.
func markdown(b *strings.Builder, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell), 3)
		}
	}
	for n, row := range rows {
		for i, cell := range row {
			if i == 0 {
				fmt.Fprintf(b, "| %-*s ", widths[i], cell)
			} else {
				fmt.Fprintf(b, "| %*s ", widths[i], cell)
			}
		}
		b.WriteString("|\n")
		if n > 0 {
			continue
		}
		for i, width := range widths {
			if i == 0 {
				fmt.Fprintf(b, "|%s", strings.Repeat("-", width+2))
			} else {
				fmt.Fprintf(b, "|%s:", strings.Repeat("-", width+1))
			}
		}
		b.WriteString("|\n")
	}
}
