package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/convert"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/modelfolder"
)

// describe says what the checkpoints turned out to be, a network a line.
func describe(found convert.Found) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	config := found.Config
	if c := config.CLIP; c != nil {
		line("CLIP", "%s, embeddings %d wide, %s", config.CLIPName, c.EmbedDim, c.Activation)
		line("image tower", "%s", imageTower(*c))
		line("text tower", "%d layers, %d wide, %d heads, %d tokens, texts up to %d", c.Text.Layers, c.Text.Width, c.Text.Heads, c.Text.VocabSize, c.Text.ContextLength)
	}
	if c := config.Captioner; c != nil {
		line("mapper", "%s", mapperFound(*c))
	}
	if g := config.GPT(); g != nil {
		line("GPT-2", "%d layers, %d wide, %d heads, %d tokens, %d positions", g.Layers, g.Width, g.Heads, g.VocabSize, g.Positions)
		line("captions", "up to %d tokens, ending in %s", config.MaxTokens, stops(found))
	}
	switch {
	case config.Memory != nil:
		line("memory", "%d captions", config.Memory.Texts)
	case config.Align == modelfolder.AlignMemory:
		line("memory", "none: convert with --memory, or caption with --align none")
	}
	if r := config.RoBERTa; r != nil {
		line("encoder", "%d layers, %d wide, %d heads, %d tokens, texts up to %d", r.Layers, r.Width, r.Heads, r.VocabSize, r.MaxTokens())
	}
	line("numbers", "%.1f million, %s", float64(found.Parameters)/1e6, strings.Join(found.Types, " and "))
	for _, file := range found.Files {
		line("read", "%s, a %s", file.Path, file.Format)
	}
	_ = w.Flush() // a strings.Builder takes all
	return text.String()
}

// describeEmbeddings does so for a pickle of embeddings.
func describeEmbeddings(found convert.FoundEmbeddings) string {
	var text strings.Builder
	for _, line := range []struct {
		name  string
		count int
	}{{"photos", found.Photos}, {"texts", found.Texts}} {
		if line.count > 0 {
			fmt.Fprintf(&text, "  %-8s  %d embeddings, %d wide, %s\n", line.name, line.count, found.Width, found.Type)
		}
	}
	if found.Captions > 0 {
		fmt.Fprintf(&text, "  captions  %d\n", found.Captions)
	}
	if found.CLIPName != "" {
		fmt.Fprintf(&text, "  CLIP      %s\n", found.CLIPName)
	}
	return text.String()
}

func imageTower(c clip.Config) string {
	v := c.Vision
	if v.IsResNet() {
		return fmt.Sprintf("ModifiedResNet, stages of %d, %d, %d and %d blocks, %d wide, %d heads, %d pixels a side",
			v.ResNet[0], v.ResNet[1], v.ResNet[2], v.ResNet[3], v.Width, v.Heads, v.ImageSize)
	}
	return fmt.Sprintf("ViT, %d layers, %d wide, %d heads, patches of %d in %d pixels a side", v.Layers, v.Width, v.Heads, v.PatchSize, v.ImageSize)
}

func mapperFound(c clipcap.Config) string {
	m, length := c.Mapper, "as they are"
	if c.Normalize {
		length = "of length 1"
	}
	text := fmt.Sprintf("%s, from embeddings %s to a prefix of %d", m.Kind, length, m.PrefixLength)
	if m.Kind == mapper.KindTransformer {
		text += fmt.Sprintf(", %d layers, %d CLIP tokens", m.Layers, m.ClipLength)
	}
	return text
}

// stops spells the tokens that end a caption.
func stops(found convert.Found) string {
	if len(found.StopTokens) == 0 {
		return "no token"
	}
	var quoted []string
	for _, token := range found.StopTokens {
		quoted = append(quoted, fmt.Sprintf("%q", token))
	}
	slices.Sort(quoted)
	return strings.Join(quoted, " or ")
}
