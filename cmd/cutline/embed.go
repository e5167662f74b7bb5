package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/cutline-go/cutline/captioner"
)

// embedCmd prints embeddings by the model's CLIP.
type embedCmd struct {
	inputFlags
	modelFlags
	Text      bool `help:"The files hold text: embed each line. Without files, stdin."`
	Normalize bool `help:"Divide each embedding by its length."`
}

// photoEmbedding and textEmbedding are the lines that embed prints.
type photoEmbedding struct {
	File      string    `json:"file"`
	Embedding []float32 `json:"embedding"`
}

type textEmbedding struct {
	Text      string    `json:"text"`
	Embedding []float32 `json:"embedding"`
}

func (cmd *embedCmd) Run(ctx context.Context, c *console) error {
	if cmd.Text && len(cmd.Files) == 0 && cmd.FilesFrom == "" {
		cmd.Files = []string{stdinName}
	}
	inputs, err := cmd.list(c.in)
	if err != nil {
		return err
	}
	model, err := cmd.open(1)
	if err != nil {
		return err
	}
	defer model.Close()
	one := cmd.photo
	if cmd.Text {
		one = cmd.lines
	}
	failed := false
	for _, in := range inputs {
		err := one(ctx, c, model, in)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed = true
			c.fileError(in.name, err)
		}
	}
	if failed {
		return errReported
	}
	return nil
}

// photo prints the embedding of one photo.
func (cmd *embedCmd) photo(ctx context.Context, c *console, model *captioner.Captioner, in input) error {
	p := readPhoto(model, in, c.open)
	if p.err != nil {
		return p.err
	}
	embedding, err := model.EmbedImage(ctx, p.image)
	if err != nil {
		return err
	}
	return writeJSON(c.out, "", photoEmbedding{in.name, cmd.scale(embedding)})
}

// lines prints the embedding of each line of a file, empty ones too: line N of
// the output is line N of the input.
func (cmd *embedCmd) lines(ctx context.Context, c *console, model *captioner.Captioner, in input) error {
	if in.err != nil {
		return in.err
	}
	file, err := c.open(in.name)
	if err != nil {
		return err
	}
	defer file.Close()
	return eachLine(file, func(line string) error {
		embedding, err := model.EmbedText(ctx, line)
		if err != nil {
			return err
		}
		return writeJSON(c.out, "", textEmbedding{line, cmd.scale(embedding)})
	})
}

// scale divides by the length, if that was asked for.
func (cmd *embedCmd) scale(embedding []float32) []float32 {
	var sum float64
	for _, x := range embedding {
		sum += float64(x) * float64(x)
	}
	if !cmd.Normalize || sum == 0 {
		return embedding
	}
	scaled := slices.Clone(embedding)
	for i := range scaled {
		scaled[i] = float32(float64(scaled[i]) / math.Sqrt(sum))
	}
	return scaled
}

// eachLine calls use for each line until one fails, and names that one.
func eachLine(r io.Reader, use func(line string) error) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	number := 1
	for ; scanner.Scan(); number++ {
		if err := use(scanner.Text()); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("line %d: %w", number, err)
	}
	return nil
}
