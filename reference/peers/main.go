// Peers measures this project's engine beside PyTorch, ONNX Runtime and GoMLX's engines,
// on networks of the true sizes with random weights: `make bench-peers`.
//
//	peers -out dist/peers.md 'cutline=COMMAND' 'PyTorch=COMMAND' …
//	peers side ENGINE    # this project's networks on an engine, as one of these commands
//
// Each side is a process of its own that does what it reads on its stdin, line by line; see
// [side]. The sides take turns, so that what else the machine does hits all of them alike.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime/debug"

	"github.com/cutline-go/cutline/internal/bench"
	"github.com/cutline-go/cutline/internal/engine"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := error(nil)
	if len(os.Args) == 3 && os.Args[1] == "side" {
		err = serve(ctx, os.Args[2], os.Stdin, os.Stdout)
	} else {
		err = run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	rounds := flag.Int("rounds", 9, "turns of each side that count, of which the median is taken")
	only := flag.String("only", "", "regular expression: only work with such names")
	out := flag.String("out", "dist/peers.md", "where the tables go")
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	r := report{rounds: *rounds}
	if r.machine, err = machine(ctx, *rounds); err != nil {
		return err
	}
	r.sides, err = startSides(flag.Args())
	defer func() {
		for _, s := range r.sides {
			s.stop()
		}
	}()
	if err != nil {
		return err
	}
	for _, w := range plan() {
		if !pattern.MatchString(w.name) || ctx.Err() != nil {
			continue
		}
		m := measure(ctx, w, r.sides, *rounds)
		r.measured = append(r.measured, m)
		fmt.Fprintln(os.Stderr, m)
	}
	return errors.Join(ctx.Err(), r.write(*out))
}

// machine is measured with this project's engine, which is closed before the sides start.
func machine(ctx context.Context, runs int) (bench.Machine, error) {
	e, err := engine.Open(cutline)
	if err != nil {
		return bench.Machine{}, err
	}
	defer debug.FreeOSMemory()
	defer e.Finalize()
	return bench.MeasureMachine(ctx, bench.Repeats{WarmUp: 2, Runs: runs}, e, 256<<20, 2048)
}
