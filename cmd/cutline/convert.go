package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/convert"
	"github.com/cutline-go/cutline/internal/engine"
	"github.com/cutline-go/cutline/internal/weights"
)

// convertCmd makes a model folder from other programs' files.
type convertCmd struct {
	CLIP          string `name:"clip" placeholder:"PATH" help:"CLIP: a folder of Hugging Face's or open_clip's, or a file with OpenAI's tensors."`
	CLIPName      string `name:"clip-name" placeholder:"NAME" help:"What that CLIP is called, or the one that computed --embeddings, such as ViT-B/32; the path's last part unless given."`
	CLIPTokenizer string `name:"clip-tokenizer" placeholder:"PATH" help:"OpenAI's bpe_simple_vocab_16e6.txt.gz, or a folder with vocab.json and merges.txt; CLIP's folder unless given."`
	Activation    string `enum:"quick_gelu,gelu" default:"quick_gelu" help:"Activation of a CLIP given as a file: ${enum}."`
	GPT2          string `name:"gpt2" placeholder:"PATH" help:"GPT-2: a Hugging Face folder; with --decap its decoder_config.pkl or config.json, where it is not the released one."`
	ClipCap       string `name:"clipcap" xor:"captioner" placeholder:"FILE" help:"A checkpoint of ClipCap's training script."`
	CapDec        string `name:"capdec" xor:"captioner" placeholder:"FILE" help:"The same of CapDec."`
	CgTGAN        string `name:"cgtgan" xor:"captioner" placeholder:"FILE" help:"The same of CgT-GAN."`
	DeCap         string `name:"decap" xor:"captioner" placeholder:"FILE" help:"The same of DeCap, which needs no GPT-2."`
	Centres       string `name:"centres" placeholder:"FILE" help:"CapDec's file of the centres of embeddings, CLIP_embeddings_centers_info.pkl, for caption --align mean."`
	Memory        string `name:"memory" placeholder:"FILE" help:"Captions, one a line, that DeCap keeps to project photos onto; the paper's are those that it learned from."`
	RoBERTa       string `name:"roberta" placeholder:"DIR" help:"RoBERTa: a Hugging Face folder."`
	Embeddings    string `name:"embeddings" xor:"captioner" placeholder:"FILE" help:"A pickle of embeddings by ClipCap's, CapDec's or CgT-GAN's scripts, which becomes a folder of mapped files and captions."`
	Of            string `enum:"photos,texts" default:"photos" help:"What the pickle's clip_embedding is of (${enum}): CgT-GAN's of captions look like ClipCap's of photos."`
	Normalize     string `enum:"auto,yes,no" default:"auto" help:"Whether embeddings get length 1 before the mapper (${enum}); auto follows the released checkpoints: CapDec, DeCap and ClipCap's transformer."`
	Type          string `enum:"keep,f32,f16" default:"keep" help:"Type of the stored numbers: ${enum}."`
	Name          string `placeholder:"NAME" help:"Name of the new model; that of its folder unless given."`
	Out           string `required:"" placeholder:"DIR" help:"The folder to write."`
}

func (cmd *convertCmd) Run(ctx context.Context, c *console) error {
	if cmd.Embeddings != "" {
		return cmd.embeddings(ctx, c)
	}
	if cmd.CLIP == "" && cmd.GPT2 == "" && cmd.RoBERTa == "" {
		return &usageError{"no checkpoint is named", "a captioner takes --clip, --gpt2 and --clipcap"}
	}
	e, err := engine.Open("")
	if err != nil {
		return err
	}
	defer e.Finalize()
	found, err := convert.Folder(ctx, e, cmd.Out, cmd.sources())
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: %s\n%s", cmd.Out, found.Config.Kind(), describe(found))
	return nil
}

// embeddings makes a folder of a pickle of embeddings.
func (cmd *convertCmd) embeddings(ctx context.Context, c *console) error {
	if cmd.CLIP != "" || cmd.GPT2 != "" || cmd.RoBERTa != "" {
		return &usageError{"--embeddings beside a checkpoint", "a pickle of embeddings becomes a folder of its own"}
	}
	found, err := convert.Embeddings(ctx, cmd.Out, cmd.Embeddings, cmd.CLIPName, cmd.Of == "texts")
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: %s\n%s", cmd.Out, found.Layout, describeEmbeddings(found))
	return nil
}

func (cmd *convertCmd) sources() convert.Sources {
	s := convert.Sources{
		Name: cmd.Name, CLIP: cmd.CLIP, CLIPName: cmd.CLIPName, CLIPTokenizer: cmd.CLIPTokenizer,
		Activation: clip.Activation(cmd.Activation), GPT2: cmd.GPT2, RoBERTa: cmd.RoBERTa, Centres: cmd.Centres, Memory: cmd.Memory,
	}
	for method, file := range map[convert.Method]string{
		convert.ClipCap: cmd.ClipCap, convert.CapDec: cmd.CapDec, convert.CgTGAN: cmd.CgTGAN, convert.DeCap: cmd.DeCap,
	} {
		if file != "" {
			s.Method, s.ClipCap = method, file
		}
	}
	if s.Name == "" {
		s.Name = filepath.Base(filepath.Clean(cmd.Out))
	}
	if cmd.Normalize != "auto" {
		normalize := cmd.Normalize == "yes"
		s.Normalize = &normalize
	}
	switch cmd.Type {
	case "f32":
		s.DType = weights.F32
	case "f16":
		s.DType = weights.F16
	}
	return s
}
