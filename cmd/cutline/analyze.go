package main

import (
	"context"
	"fmt"
	"strings"
)

// analyzeCmd looks into models.
type analyzeCmd struct {
	ModalityGap analyzeGapCmd    `cmd:"" name:"modality-gap" help:"Tell how far photos and texts lie apart in a CLIP, and what that does to captions."`
	Prefix      analyzePrefixCmd `cmd:"" name:"prefix" help:"Print the words nearest to each vector that the mapper makes of a photo."`
}

// analyzePrefixCmd prints the words nearest to the prefix of each photo.
type analyzePrefixCmd struct {
	inputFlags
	modelFlags
	Align  string `placeholder:"HOW" help:"Move photos among texts first, as caption's flag does."`
	Words  int    `default:"3" placeholder:"N" help:"Words of each vector."`
	Format string `enum:"text,jsonl" default:"text" help:"What to print: ${enum}."`
}

// prefixWords is the line that analyze prefix prints as JSON.
type prefixWords struct {
	File   string       `json:"file"`
	Prefix []vectorWord `json:"prefix"`
}

// vectorWord is what one vector of a prefix is near.
type vectorWord struct {
	Words   []string  `json:"words"`
	Cosines []float64 `json:"cosines"`
}

func (cmd *analyzePrefixCmd) Run(ctx context.Context, c *console) error {
	if cmd.Words < 1 {
		return &usageError{"--words must be at least 1", ""}
	}
	inputs, err := cmd.list(c.in)
	if err != nil {
		return err
	}
	decoding := decodingFlags{Align: cmd.Align, Rerank: "none"}
	model, err := openToCaption(&cmd.modelFlags, &decoding, 1, false)
	if err != nil {
		return err
	}
	defer model.Close()
	photos := likeness{model, c.open}
	failed := false
	for _, in := range inputs {
		err := in.err
		var embedding []float32
		if err == nil {
			embedding, err = photos.embedPhoto(ctx, in.name)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed = true
			c.fileError(in.name, err)
			continue
		}
		words, cosines, err := model.PrefixWords(ctx, embedding, cmd.Words)
		if err != nil {
			return err
		}
		line := prefixWords{File: in.name}
		for k := range words {
			line.Prefix = append(line.Prefix, vectorWord{words[k], cosines[k]})
		}
		if err := cmd.write(c, line, cmd.single(inputs)); err != nil {
			return err
		}
	}
	if failed {
		return errReported
	}
	return nil
}

func (cmd *analyzePrefixCmd) write(c *console, line prefixWords, single bool) error {
	if cmd.Format == "jsonl" {
		return writeJSON(c.out, "", line)
	}
	var b strings.Builder
	for k, vector := range line.Prefix {
		if !single {
			fmt.Fprintf(&b, "%s\t", oneLine(line.File))
		}
		fmt.Fprintf(&b, "%d", k+1)
		for i, word := range vector.Words {
			fmt.Fprintf(&b, "\t%q %.3f", word, vector.Cosines[i])
		}
		b.WriteByte('\n')
	}
	_, err := fmt.Fprint(c.out, b.String())
	return err
}
