package main

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/cutline-go/cutline/internal/bench"
)

// report is a run of the whole.
type report struct {
	sides    []*side
	rounds   int
	measured []measured
	machine  bench.Machine
}

// write prints the report as Markdown, into a file too.
func (r report) write(path string) error {
	var b strings.Builder
	r.about(&b)
	r.works(&b)
	r.products(&b)
	fmt.Print(b.String())
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

func (r report) about(b *strings.Builder) {
	fmt.Fprintf(b, "Machine: %s, %d processors. Memory reads %.1f GB/s (a triad %.1f); this engine's fastest product of square matrices, of %d, does %.1f GFLOP/s.\n\n",
		bench.Processor(), runtime.NumCPU(), r.machine.Read, r.machine.Triad, r.machine.Product, r.machine.GFLOPS)
	for _, s := range r.sides {
		fmt.Fprintf(b, "- %s: %s\n", s.name, s.version)
	}
}

// works is the table of what networks took.
func (r report) works(b *strings.Builder) {
	fmt.Fprintf(b, "\nMilliseconds: the median of %d turns, and the fastest.\n\n| work |", r.rounds)
	for _, s := range r.sides {
		fmt.Fprintf(b, " %s |", s.name)
	}
	fmt.Fprintf(b, " times as fast as | bar |\n|---|%s---|---|\n", strings.Repeat("---|", len(r.sides)))
	for _, m := range r.measured {
		if m.operations != 0 {
			continue
		}
		fmt.Fprintf(b, "| %s |", m.title)
		for _, s := range r.sides {
			fmt.Fprintf(b, " %s |", m.cell(s.name))
		}
		ratios, verdicts := m.verdicts()
		fmt.Fprintf(b, " %s | %s |\n", ratios, verdicts)
	}
	b.WriteString("\n")
	for _, m := range r.measured {
		for side, err := range m.refused {
			fmt.Fprintf(b, "- %s does not do %q: %v\n", side, m.name, err)
		}
	}
}

func (m measured) cell(side string) string {
	if m.median(side) == 0 {
		return "–"
	}
	return digits(m.median(side)) + " (" + digits(m.times[side][0]) + ")"
}

// verdicts tells the ratios that bars are about, and whether they are met.
func (m measured) verdicts() (ratios, verdicts string) {
	var said, judged []string
	for _, bar := range m.bars {
		side := bar.side
		if side == "" {
			side = m.bestPeer()
		}
		ratio := m.ratio(side)
		if ratio == 0 {
			continue
		}
		verdict := "met"
		if ratio < bar.times {
			verdict = "not met"
		}
		said = append(said, fmt.Sprintf("%s: %.2f", side, ratio))
		judged = append(judged, fmt.Sprintf("%.4g: %s", bar.times, verdict))
	}
	return strings.Join(said, "; "), strings.Join(judged, "; ")
}

// products is the table of products by their shapes.
func (r report) products(b *strings.Builder) {
	columns := []string{cutline, pytorch, ort}
	fmt.Fprintf(b, "\nGFLOP/s of products, of the median, and how many times as fast this engine is:\n\n| product | %s | as PyTorch | as ONNX Runtime |\n|---|%s---|---|\n",
		strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	var below []string
	for _, m := range r.measured {
		if m.operations == 0 {
			continue
		}
		fmt.Fprintf(b, "| %s |", m.title)
		for _, side := range columns {
			if t := m.median(side); t > 0 {
				fmt.Fprintf(b, " %s |", digits(m.operations/t/1e6))
			} else {
				b.WriteString(" – |")
			}
		}
		for _, side := range columns[1:] {
			ratio := m.ratio(side)
			fmt.Fprintf(b, " %.2f |", ratio)
			if ratio > 0 && ratio < 1 {
				below = append(below, fmt.Sprintf("%s (%s)", m.title, side))
			}
		}
		b.WriteString("\n")
	}
	slices.Sort(below)
	fmt.Fprintf(b, "\nBelow 1.0: %s.\n", cmp.Or(strings.Join(below, ", "), "none"))
}

// digits writes three significant digits, and all of those before the point.
func digits(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
