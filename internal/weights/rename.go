package weights

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// GPT2 returns the tensors of a GPT-2 checkpoint under the bare names of Hugging
// Face's base model (wte.weight, h.0.…): without the prefix "transformer.", the
// causal-mask buffers and the tied head. A head of its own is an error.
func GPT2(tensors []Tensor) ([]Tensor, error) {
	var out []Tensor
	for _, t := range tensors {
		t.Name = strings.TrimPrefix(t.Name, "transformer.")
		if t.Name != headName && !isMask(t.Name) {
			out = append(out, t)
		}
	}
	return out, checkTied(tensors, headName, "wte.weight", "transformer.wte.weight")
}

// ClipCap returns the tensors of a checkpoint of ClipCap, CapDec or CgT-GAN under the
// names of package clipcap, which are its own, without buffers and the tied head. A
// mapper of one layer, which is all of clip_project there, is clip_project.linear here.
func ClipCap(tensors []Tensor) ([]Tensor, error) {
	var out []Tensor
	for _, t := range tensors {
		switch t.Name {
		case "clip_project.weight":
			t.Name = "clip_project.linear.weight"
		case "clip_project.bias":
			t.Name = "clip_project.linear.bias"
		}
		if t.Name != "gpt."+headName && !isMask(t.Name) {
			out = append(out, t)
		}
	}
	return out, checkTied(tensors, "gpt."+headName, "gpt.transformer.wte.weight")
}

// DeCap returns the tensors of a DeCap checkpoint under the names of package clipcap:
// its decoder is a GPT-2, its mapper one layer.
func DeCap(tensors []Tensor) ([]Tensor, error) {
	out := slices.Clone(tensors)
	for i, t := range out {
		if rest, ok := strings.CutPrefix(t.Name, "decoder."); ok {
			out[i].Name = "gpt." + rest
		} else if rest, ok := strings.CutPrefix(t.Name, "clip_project.model.0."); ok {
			out[i].Name = "clip_project.linear." + rest
		}
	}
	return ClipCap(out)
}

const headName = "lm_head.weight"

// isMask tells GPT-2's causal-mask buffers by whole components: the suffix
// "attn.bias" also ends "c_attn.bias".
func isMask(name string) bool {
	parts := strings.Split(name, ".")
	n := len(parts)
	return n >= 2 && parts[n-2] == "attn" && (parts[n-1] == "bias" || parts[n-1] == "masked_bias")
}

func checkTied(tensors []Tensor, head string, embeddings ...string) error {
	h := slices.IndexFunc(tensors, func(t Tensor) bool { return t.Name == head })
	e := slices.IndexFunc(tensors, func(t Tensor) bool { return slices.Contains(embeddings, t.Name) })
	if h >= 0 && e >= 0 && !bytes.Equal(tensors[h].Data, tensors[e].Data) {
		return fmt.Errorf("tensor %s differs from %s: a head of its own is not GPT-2", head, tensors[e].Name)
	}
	return nil
}

// bareCLIP takes off the prefixes that open_clip puts before OpenAI's names: "module."
// while it trains, "text." before the text tower of its CustomTextCLIP.
func bareCLIP(tensors []Tensor) []Tensor {
	out := slices.Clone(tensors)
	for i, t := range out {
		out[i].Name = strings.TrimPrefix(strings.TrimPrefix(t.Name, "module."), "text.")
	}
	return out
}

// OpenAICLIP returns the tensors of a CLIP checkpoint under OpenAI's names. Hugging
// Face's are renamed, its separate query, key and value projections joined and its
// projections transposed; the scalars that OpenAI's archives carry besides the
// weights, and the counters of batch normalisations, are left out.
func OpenAICLIP(tensors []Tensor) ([]Tensor, error) {
	if slices.ContainsFunc(tensors, func(t Tensor) bool { return strings.HasPrefix(t.Name, "text_model.") }) {
		return fromHuggingFace(tensors)
	}
	var out []Tensor
	for _, t := range bareCLIP(tensors) {
		scalar := slices.Contains([]string{"input_resolution", "context_length", "vocab_size"}, t.Name)
		if !scalar && !strings.HasSuffix(t.Name, ".num_batches_tracked") {
			out = append(out, t)
		}
	}
	return out, nil
}
