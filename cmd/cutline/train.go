package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/cutline-go/cutline/internal/engine"
	"github.com/cutline-go/cutline/internal/recipe"
	"github.com/cutline-go/cutline/internal/train"
)

// trainCmd trains the networks, one verb for each.
type trainCmd struct {
	CLIP    trainCLIPCmd    `cmd:"" name:"clip" help:"Train a CLIP from photos with captions."`
	LM      trainLMCmd      `cmd:"" name:"lm" help:"Train a language model and its tokenizer from text."`
	ClipCap trainClipCapCmd `cmd:"" name:"clipcap" help:"Train a captioner from photos with captions, a CLIP and a language model."`
}

// trainFlags are what every training takes.
type trainFlags struct {
	Config string `required:"" placeholder:"FILE" help:"Configuration, as JSON; models/recipes/tiny holds one of each."`
	Out    string `required:"" placeholder:"DIR" help:"Model folder to write. Checkpoints and log lie beside it in DIR.run, from which a stopped run goes on."`
	Engine string `default:"go" placeholder:"NAME" help:"What computes: go, or onnx:PATH in builds with that tag."`
	Cache  string `placeholder:"DIR" env:"CUTLINE_CACHE" help:"Where embeddings are kept for the next run; cutline in the user's cache folder unless given."`
}

type (
	trainCLIPCmd    struct{ trainFlags }
	trainLMCmd      struct{ trainFlags }
	trainClipCapCmd struct{ trainFlags }
)

func (cmd *trainCLIPCmd) Run(ctx context.Context, c *console) error {
	return cmd.run(ctx, c, new(recipe.CLIP))
}

func (cmd *trainLMCmd) Run(ctx context.Context, c *console) error {
	return cmd.run(ctx, c, new(recipe.LanguageModel))
}

func (cmd *trainClipCapCmd) Run(ctx context.Context, c *console) error {
	return cmd.run(ctx, c, new(recipe.ClipCap))
}

// trainable is a configuration that can be run.
type trainable interface {
	Train(ctx context.Context, run recipe.Run) error
}

func (f trainFlags) run(ctx context.Context, c *console, r trainable) error {
	if err := recipe.ReadConfig(f.Config, r); err != nil {
		return err
	}
	e, err := engine.Open(f.Engine)
	if err != nil {
		return err
	}
	defer e.Finalize()
	if f.Cache == "" {
		folder, err := os.UserCacheDir()
		if err != nil {
			return &failure{err, "--cache names a folder for embeddings"}
		}
		f.Cache = filepath.Join(folder, "cutline")
	}
	run := recipe.Run{Engine: e, Out: f.Out, Cache: filepath.Join(f.Cache, "embeddings"), Report: newReporter(c.messages)}
	if err := r.Train(ctx, run); err != nil {
		return err
	}
	fmt.Fprintln(c.out, f.Out)
	return nil
}

// reportEvery is the time between lines on the progress of a training.
const reportEvery = 10 * time.Second

// newReporter returns a report that writes a line now and then, and at the end.
func newReporter(messages io.Writer) func(train.Progress) {
	var last time.Time
	return func(p train.Progress) {
		if time.Since(last) < reportEvery && p.Done < p.Of {
			return
		}
		last = time.Now()
		fmt.Fprintf(messages, "%s %d of %d", p.Stage, p.Done, p.Of)
		for _, loss := range p.Losses {
			fmt.Fprintf(messages, "  %s %.4g", loss.Name, loss.Value)
		}
		fmt.Fprintf(messages, "  left %s\n", p.Left.Round(time.Second))
	}
}
