package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"os"
	"runtime"
	"slices"

	"github.com/gomlx/compute"

	"github.com/cutline-go/cutline/internal/bench"
	"github.com/cutline-go/cutline/internal/engine"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/models"
)

// benchCmd measures where the time of a caption goes.
type benchCmd struct {
	Photo   string `arg:"" optional:"" help:"Photo file; one of 640×480 pixels is drawn unless given."`
	Model   string `placeholder:"DIR" help:"Model folder; the model in this program unless given."`
	Random  string `placeholder:"NAME" enum:",${randomModel}" default:"" help:"Random weights instead: ${randomModel} is ViT-B/32 and GPT-2 small with an MLP mapper."`
	Engine  string `default:"cutline" help:"What networks run on: cutline, go, or onnx:LIBRARY or xla:PLUGIN in a build with that tag."`
	Threads int    `placeholder:"N" help:"Threads of Go, those of cutline and go included; one a processor unless given."`
	Batch   []int  `default:"1,8" placeholder:"N,…" help:"Photos that run at once."`
	Runs    int    `default:"9" help:"Runs that count, of which the median is printed."`
	WarmUp  int    `default:"2" help:"Runs before them."`
	Buffer  int    `default:"256" placeholder:"MIB" help:"Memory that is read and written to find its rate, in MiB; more than the cache has."`
	Side    int    `default:"2048" placeholder:"N" help:"Side of the largest matrices that the engine multiplies to find its peak."`
	Format  string `enum:"text,json" default:"text" help:"What to print: ${enum}. Text is a table in Markdown."`
}

func (cmd *benchCmd) Run(ctx context.Context, c *console) error {
	if min(cmd.Runs, cmd.Side, cmd.Buffer, slices.Min(cmd.Batch)) < 1 || min(cmd.WarmUp, cmd.Threads) < 0 {
		return &usageError{"--runs, --side, --buffer and --batch must be at least 1, --warm-up and --threads at least 0", ""}
	}
	if cmd.Random != "" && cmd.Model != "" {
		return &usageError{"--random and --model exclude each other", ""}
	}
	if cmd.Threads > 0 {
		runtime.GOMAXPROCS(cmd.Threads)
	}
	photo, err := cmd.photo()
	if err != nil {
		return err
	}
	report, err := cmd.measure(ctx, c, photo)
	if err != nil {
		return err
	}
	if cmd.Format == "json" {
		return writeJSON(c.out, "", report)
	}
	return report.text(c.out)
}

// photo returns the bytes of the photo file.
func (cmd *benchCmd) photo() ([]byte, error) {
	if cmd.Photo != "" {
		return os.ReadFile(cmd.Photo)
	}
	var file bytes.Buffer
	err := jpeg.Encode(&file, draw(640, 480), nil)
	return file.Bytes(), err
}

func (cmd *benchCmd) repeats() bench.Repeats {
	return bench.Repeats{WarmUp: cmd.WarmUp, Runs: cmd.Runs}
}

// measure measures whole captions first, in a process that has done nothing else, for
// what they need of memory; then the stages by themselves, then the machine.
func (cmd *benchCmd) measure(ctx context.Context, c *console, photo []byte) (*benchReport, error) {
	defer c.stage("")
	e, err := engine.Open(cmd.Engine)
	if err != nil {
		return nil, err
	}
	defer e.Finalize()
	report := newBenchReport(cmd, photo)
	measured := cmd.carried
	if cmd.Random != "" {
		measured = cmd.random
	}
	networks, err := measured(ctx, c, report, e, photo)
	if err != nil {
		return nil, err
	}
	defer networks.Close()
	report.Parameters = networks.Parameters()
	for _, batch := range cmd.Batch {
		c.stage(fmt.Sprintf("measuring stages, batch %d", batch))
		stages, err := networks.Stages(ctx, cmd.repeats(), photo, batch)
		if err != nil {
			return nil, err
		}
		report.Stages = append(report.Stages, stages...)
	}
	report.Engine = e.Description() // now that the networks are compiled
	c.stage("measuring the machine")
	report.Machine, err = bench.MeasureMachine(ctx, cmd.repeats(), e, cmd.Buffer<<20, cmd.Side)
	return report, err
}

// random measures whole captions by random weights and returns the networks.
func (cmd *benchCmd) random(ctx context.Context, c *console, report *benchReport, e compute.Backend, photo []byte) (*bench.Networks, error) {
	c.stage("drawing random weights")
	networks, err := bench.NewClipCap(e)
	if err != nil {
		return nil, err
	}
	report.Model, report.Search = cmd.Random+", random weights", "greedy, 15 tokens"
	return networks, cmd.captions(ctx, c, report, func(ctx context.Context, batch int) error {
		return networks.Caption(ctx, photo, batch)
	})
}

// carried measures whole captions as `cutline caption` makes them, by the folder or the
// model in this program, and returns its networks, opened once more.
func (cmd *benchCmd) carried(ctx context.Context, c *console, report *benchReport, e compute.Backend, photo []byte) (*bench.Networks, error) {
	if err := cmd.asCaption(ctx, c, report, photo); err != nil {
		return nil, err
	}
	folder, err := cmd.folder()
	if err != nil {
		return nil, err
	}
	networks, err := bench.Open(e, folder)
	return networks, errors.Join(err, folder.Close())
}

func (cmd *benchCmd) folder() (*modelfolder.Folder, error) {
	if cmd.Model != "" {
		return modelfolder.Open(cmd.Model)
	}
	carried, err := models.Tiny()
	if err != nil {
		return nil, err
	}
	return modelfolder.OpenFS(carried, "model")
}

// asCaption runs what `cutline caption` runs on copies of the photo.
func (cmd *benchCmd) asCaption(ctx context.Context, c *console, report *benchReport, photo []byte) error {
	c.stage("opening the model")
	largest := slices.Max(cmd.Batch)
	model, err := openToCaption(cmd.modelFlags(), &decodingFlags{}, largest, false)
	if err != nil {
		return err
	}
	defer model.Close()
	report.Model, report.Search = model.Info().Name, "as the model says"
	photos := slices.Repeat([]input{{name: cmp.Or(cmd.Photo, "photo")}}, largest)
	open := func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(photo)), nil }
	return cmd.captions(ctx, c, report, func(ctx context.Context, batch int) error {
		out := new(lastCaption)
		work := &captioning{model: model, console: c, open: open, out: out}
		if err := work.all(ctx, photos[:batch], batch); err != nil {
			return err
		}
		report.Caption = out.text
		return nil
	})
}

func (cmd *benchCmd) modelFlags() *modelFlags {
	limits := imageproc.DefaultLimits()
	return &modelFlags{Model: cmd.Model, Engine: cmd.Engine,
		LimitBytes: limits.MaxBytes, LimitPixels: limits.MaxPixels, LimitSide: limits.MaxSide}
}

// lastCaption is a sink that keeps the last caption.
type lastCaption struct{ text string }

func (l *lastCaption) write(r result) error { l.text = r.Caption; return nil }
func (*lastCaption) close() error           { return nil }

// captions measures whole captions in each batch and the memory that it took.
func (cmd *benchCmd) captions(ctx context.Context, c *console, report *benchReport, caption func(ctx context.Context, batch int) error) error {
	for _, batch := range cmd.Batch {
		c.stage(fmt.Sprintf("measuring captions, batch %d", batch))
		stage, err := bench.Captions(ctx, cmd.repeats(), batch, func(ctx context.Context) error { return caption(ctx, batch) })
		if err != nil {
			return err
		}
		report.Stages = append(report.Stages, stage)
		report.PeakMemory = append(report.PeakMemory, bench.PeakMemory())
	}
	return nil
}
