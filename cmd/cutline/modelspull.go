package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/cutline-go/cutline/internal/engine"
	"github.com/cutline-go/cutline/internal/hub"
	"github.com/cutline-go/cutline/internal/published"
)

type modelsPullCmd struct {
	Name string `arg:"" help:"A model, as ls --known lists it."`
	Yes  bool   `short:"y" help:"Download without asking."`
}

func (cmd *modelsPullCmd) Run(ctx context.Context, c *console) error {
	m, err := knownModel(cmd.Name)
	if err != nil {
		return err
	}
	client, err := hub.FromEnvironment()
	if err != nil {
		return err
	}
	store, err := published.OpenStore()
	if err != nil {
		return err
	}
	if !client.Offline {
		c.stage("asking " + client.Endpoint.Host)
	}
	plan, err := store.NewPlan(ctx, client, m)
	c.stage("")
	if err != nil {
		return err
	}
	if plan.Current {
		fmt.Fprintf(c.out, "%s: here already, as it is published today\n", m.Name)
		return nil
	}
	if err := cmd.agree(ctx, c, plan, client.Offline); err != nil {
		return err
	}
	// Only shapes are computed, so any engine will do.
	e, err := engine.Open("")
	if err != nil {
		return err
	}
	defer e.Finalize()
	bar := newDownload(c.messages, plan.Missing)
	found, err := store.Pull(ctx, client, e, plan, bar.add)
	bar.hide()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: %s\n%s", m.Name, found.Config.Kind(), describe(found))
	return nil
}

// agree shows what is fetched, how large it is and under which terms, and asks
// whether to go on, unless nothing is to be downloaded.
func (cmd *modelsPullCmd) agree(ctx context.Context, c *console, p published.Plan, offline bool) error {
	fmt.Fprintf(c.messages, "%s: %s\n", p.Model.Name, p.Model.About)
	for _, source := range p.Sources {
		var size int64
		for _, file := range source.Files {
			size += file.Size
		}
		terms := licence(source)
		if offline {
			terms = "not known offline"
		}
		fmt.Fprintf(c.messages, "  %9s  %s, licence: %s\n", bytesText(size), source.ID, terms)
	}
	fmt.Fprintf(c.messages, "  %9s  to download; the model itself takes about %s more\n", bytesText(p.Missing), bytesText(p.Size))
	if p.Missing == 0 || cmd.Yes {
		return nil
	}
	if file, ok := c.in.(*os.File); !ok || !term.IsTerminal(int(file.Fd())) {
		return &usageError{"nothing was downloaded: there is no terminal to ask on", "--yes downloads without asking"}
	}
	yes, err := confirmed(ctx, c.in, c.messages, "Download?")
	if err == nil && !yes {
		err = fmt.Errorf("nothing was downloaded")
	}
	return err
}

// confirmed asks a question on a terminal.
func confirmed(ctx context.Context, in io.Reader, messages io.Writer, question string) (bool, error) {
	fmt.Fprintf(messages, "%s [y/N] ", question)
	answer := make(chan string, 1)
	go func() {
		var line string
		_, _ = fmt.Fscanln(in, &line) // an empty line is a no
		answer <- strings.ToLower(line)
	}()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case line := <-answer:
		return line == "y" || line == "yes", nil
	}
}

// download shows on a terminal how much came. The zero value shows nothing.
type download struct{ bar *progressbar.ProgressBar }

func newDownload(messages io.Writer, total int64) download {
	if total == 0 || !isTerminal(messages) {
		return download{}
	}
	return download{progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(messages),
		progressbar.OptionShowBytes(true),
		progressbar.OptionFullWidth(),
		progressbar.OptionClearOnFinish(),
	)}
}

// add counts bytes; a bar that cannot be drawn is no reason to fail.
func (d download) add(n int64) {
	if d.bar != nil {
		_ = d.bar.Add64(n)
	}
}

// hide clears the bar's line.
func (d download) hide() {
	if d.bar != nil {
		_ = d.bar.Clear()
	}
}
