// Command cutline writes captions for photographs: a frozen CLIP sees the
// photo, a mapper turns its embedding into a prefix, GPT-2 writes the sentence.
//
// It captions and embeds photos, scores captions, trains models, fetches those that
// others published, converts checkpoints to model folders, measures and reports on
// itself; `cutline --help` lists the verbs. Results go to stdout and nothing else does; it exits with 0 when all is
// done, 1 when something failed, and 2 on a mistake in the command line.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/cutline-go/cutline/internal/bench"
)

// cli is the command line: one field, and one file, for each verb.
type cli struct {
	Caption captionCmd `cmd:"" help:"Write a caption for each photo."`
	Embed   embedCmd   `cmd:"" help:"Print CLIP's embedding of each photo, or of lines of text."`
	Eval    evalCmd    `cmd:"" help:"Score captions against what people said, as the field does."`
	Score   scoreCmd   `cmd:"" help:"Tell how well captions fit their photos, by CLIP."`
	Analyze analyzeCmd `cmd:"" help:"Look into a model: the gap between photos and texts, the words of a prefix."`
	Train   trainCmd   `cmd:"" help:"Train a CLIP, a language model or a captioner."`
	Convert convertCmd `cmd:"" help:"Make a model folder from CLIP, GPT-2 and ClipCap files."`
	Models  modelsCmd  `cmd:"" help:"Fetch models that others published, list them, remove them."`
	Bench   benchCmd   `cmd:"" help:"Measure where the time of a caption goes."`
	Doctor  doctorCmd  `cmd:"" help:"Check that this build captions photos on this machine."`
	Version versionCmd `cmd:"" help:"Print what this program was built from."`
}

// console is where a verb reads and writes.
type console struct {
	in       io.Reader
	out      io.Writer // results
	messages io.Writer // everything else
}

func main() {
	// The first signal ends the work between two tokens; a second one, after
	// stop, ends the process as if nobody listened.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], &console{os.Stdin, os.Stdout, os.Stderr}))
}

// run does what the arguments ask for and returns the exit status.
func run(ctx context.Context, args []string, c *console) int {
	parser, err := kong.New(new(cli),
		kong.Name("cutline"),
		kong.Description("Captions for photographs, offline."),
		kong.Vars{"captionFormats": captionFormats, "randomModel": bench.ClipCapName},
		kong.Writers(c.out, c.messages),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(c),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	if err != nil {
		return c.fail(err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return c.fail(&usageError{reason: err.Error(), hint: helpHint(err)})
	}
	err = parsed.Run()
	if err != nil && ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	return c.fail(err)
}

// helpHint tells where the help is: the verb's, once the verb is known.
func helpHint(err error) string {
	command := "cutline"
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context.Command() != "" {
		command = parse.Context.Selected().FullPath()
	}
	return command + " --help shows what there is"
}
