package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/gomlx/compute"

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
	Train(ctx context.Context, e compute.Backend, out string, report func(train.Progress)) error
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
	if err := r.Train(ctx, e, f.Out, newReporter(c.messages)); err != nil {
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
		if time.Since(last) < reportEvery && p.Update < p.Updates {
			return
		}
		last = time.Now()
		fmt.Fprintf(messages, "update %d of %d", p.Update, p.Updates)
		for _, loss := range p.Losses {
			fmt.Fprintf(messages, "  %s %.4g", loss.Name, loss.Value)
		}
		fmt.Fprintf(messages, "  left %s\n", p.Left.Round(time.Second))
	}
}
