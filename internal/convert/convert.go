// Package convert makes model folders of other people's checkpoints: CLIP from
// OpenAI's, Hugging Face's or open_clip's files, GPT-2 and RoBERTa from Hugging Face's,
// and what the training scripts of ClipCap, CapDec, CgT-GAN and DeCap saved.
package convert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gomlx/compute"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/weights"
)

// Sources names the checkpoints. CLIP, GPT2 and ClipCap together make a
// captioner; CLIP, GPT2 or RoBERTa alone makes a folder of that network.
type Sources struct {
	Name string // of the new model

	// CLIP is a folder in Hugging Face's layout (config.json, model.safetensors or
	// pytorch_model.bin, preprocessor_config.json where the preprocessing is not
	// OpenAI's) or in open_clip's (open_clip_config.json and open_clip_model.safetensors
	// or open_clip_pytorch_model.bin), or a file of tensors with OpenAI's names, such as
	// OpenAI's own archives.
	CLIP string
	// CLIPName is what its makers call it, such as "ViT-B/32"; "" stands for the
	// last part of CLIP's path.
	CLIPName string
	// CLIPTokenizer is OpenAI's bpe_simple_vocab_16e6.txt, gzipped or not, or a
	// folder with vocab.json and merges.txt; "" stands for the folder CLIP.
	CLIPTokenizer string
	// Activation is that of a file with OpenAI's names, which does not tell; ""
	// stands for QuickGELU. Many of open_clip's want GELU.
	Activation clip.Activation

	// GPT2 is a folder in Hugging Face's layout: config.json, vocab.json and
	// merges.txt; the tensors are read where there is no ClipCap. With DeCap, whose
	// decoder writes CLIP's tokens, it is the decoder's config.json or
	// decoder_config.pkl; "" stands for the released decoder's 4 heads.
	GPT2 string

	// ClipCap is a checkpoint that the training script of ClipCap saved, or one of its
	// kin, of the CLIP and GPT-2 above.
	ClipCap string
	Method  Method // "" stands for ClipCap
	// Normalize says whether embeddings are divided by their length before the
	// mapper; nil stands for what the released checkpoints expect: CapDec and DeCap yes,
	// CgT-GAN no, ClipCap no for an MLP and yes for a transformer.
	Normalize *bool
	// Centres is CapDec's CLIP_embeddings_centers_info.pkl, whose means of photos' and
	// texts' embeddings go into the folder.
	Centres string

	// Memory is a plain text, a caption a line, onto whose embeddings DeCap projects
	// photos; without it the folder captions nothing unless it is told to read photos as
	// they are. The paper's are the captions that it learned from.
	Memory string

	// RoBERTa is a folder in Hugging Face's layout: config.json, vocab.json, merges.txt
	// and the tensors, from whose heads only the encoder and the pooler are taken. A
	// pooler that is missing is drawn.
	RoBERTa string

	// DType is what tensors are stored as, weights.F32 or weights.F16; "" keeps
	// what they are.
	DType weights.DType
}

// Found is what the sources turned out to be.
type Found struct {
	Config     modelfolder.Config
	Parameters int      // in all networks together
	Types      []string // of the numbers, as they are stored
	StopTokens []string // as they are written in captions
	Files      []File   // of tensors, that were read
}

// File is a file of tensors.
type File struct{ Path, Format string }

// Folder writes the model folder dir, as modelfolder.Write does. All is checked
// before: that the tensors are exactly those of the networks, with engine, and
// that the networks fit each other. When anything fails nothing is written, and
// the error is one line that names the file.
func Folder(ctx context.Context, engine compute.Backend, dir string, s Sources) (Found, error) {
	if err := modelfolder.Writable(dir); err != nil {
		return Found{}, err
	}
	if err := s.check(); err != nil {
		return Found{}, err
	}
	var c conversion
	defer c.close()
	c.model.Config = modelfolder.Config{Version: modelfolder.Version, Name: s.Name}
	for _, step := range []func(Sources) error{c.addCLIP, c.addGPT2, c.addClipCap, c.addCentres, c.addRoBERTa, c.cast} {
		if err := step(s); err != nil {
			return Found{}, err
		}
	}
	if err := c.model.Config.Validate(); err != nil {
		return Found{}, fmt.Errorf("the sources do not fit: %w", err)
	}
	if err := c.model.Check(engine); err != nil {
		return Found{}, fmt.Errorf("%s: %w", cmp.Or(s.ClipCap, s.CLIP, s.GPT2, s.RoBERTa), err)
	}
	if err := c.addMemory(ctx, engine, s); err != nil {
		return Found{}, err
	}
	if err := modelfolder.Write(dir, c.model); err != nil {
		return Found{}, err
	}
	return c.found(), nil
}

// check tells whether the sources are a combination that makes a model.
func (s Sources) check() error {
	switch {
	case s.Name == "":
		return errors.New("convert: the new model has no name")
	case s.ClipCap != "" && (s.CLIP == "" || s.GPT2 == "" && s.Method != DeCap):
		return fmt.Errorf("%s: a %s checkpoint needs its CLIP and its GPT-2 folder", s.ClipCap, cmp.Or(s.Method, ClipCap))
	case !slices.Contains([]Method{"", ClipCap, CapDec, CgTGAN, DeCap}, s.Method):
		return fmt.Errorf("convert: method %q, want %q, %q, %q or %q", s.Method, ClipCap, CapDec, CgTGAN, DeCap)
	case s.Centres != "" && s.ClipCap == "":
		return fmt.Errorf("%s: centres are of use to a captioner alone", s.Centres)
	case s.Memory != "" && s.Method != DeCap:
		return fmt.Errorf("%s: a memory is of use to DeCap alone", s.Memory)
	case s.ClipCap == "" && s.CLIP != "" && s.GPT2 != "":
		return errors.New("convert: a CLIP and a GPT-2 make no captioner without a ClipCap checkpoint; train one or name one of them")
	case s.RoBERTa != "" && (s.CLIP != "" || s.GPT2 != ""):
		return errors.New("convert: a RoBERTa makes a folder of its own; name it alone")
	case s.CLIP == "" && s.GPT2 == "" && s.RoBERTa == "":
		return errors.New("convert: no checkpoint is named")
	case s.DType != "" && s.DType != weights.F32 && s.DType != weights.F16:
		return fmt.Errorf("convert: type %q, want %s or %s", s.DType, weights.F32, weights.F16)
	}
	return nil
}

// conversion is a model in the making, whose tensors lie in open files.
type conversion struct {
	model  modelfolder.Model
	opened []io.Closer
	files  []File
}

// open returns the tensors of the file at path, renamed by rename.
func (c *conversion) open(path string, rename func([]weights.Tensor) ([]weights.Tensor, error)) ([]weights.Tensor, error) {
	file, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	c.opened, c.files = append(c.opened, file), append(c.files, File{path, file.Format()})
	tensors, err := rename(file.Tensors())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return tensors, nil
}

// add adds the tensors of a network, whose names continue scope.
func (c *conversion) add(scope string, tensors []weights.Tensor) {
	for _, t := range tensors {
		t.Name = scope + t.Name
		c.model.Tensors = append(c.model.Tensors, t)
	}
}

// cast gives all tensors the type that they are stored as, and refuses values that
// are no numbers.
func (c *conversion) cast(s Sources) error {
	for i, t := range c.model.Tensors {
		cast, err := weights.Cast([]weights.Tensor{t}, cmp.Or(s.DType, t.DType))
		if err != nil {
			return err
		}
		c.model.Tensors[i] = cast[0]
	}
	return nil
}

func (c *conversion) found() Found {
	found := Found{Config: c.model.Config, Files: c.files}
	for _, t := range c.model.Tensors {
		size := 1
		for _, d := range t.Shape {
			size *= d
		}
		found.Parameters += size
		if !slices.Contains(found.Types, string(t.DType)) {
			found.Types = append(found.Types, string(t.DType))
		}
	}
	slices.Sort(found.Types)
	for _, id := range found.Config.StopTokens {
		t := c.model.GPTTokenizer // which does not spell CLIP's markers
		found.StopTokens = append(found.StopTokens, cmp.Or(t.Decode([]int{id}), t.Token(id)))
	}
	return found
}

// close closes what was only read, and removes what is not kept, the last first.
func (c *conversion) close() {
	for i := len(c.opened) - 1; i >= 0; i-- {
		_ = c.opened[i].Close()
	}
}
