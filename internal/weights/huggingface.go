package weights

import (
	"fmt"
	"slices"
	"strings"
)

// huggingFaceNames pairs Hugging Face's names for CLIP with OpenAI's, the part of a
// name at a time. Of several that fit, the first counts.
var huggingFaceNames = [][2]string{
	{"vision_model.embeddings.class_embedding", "visual.class_embedding"},
	{"vision_model.embeddings.patch_embedding.", "visual.conv1."},
	{"vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"},
	{"vision_model.pre_layrnorm.", "visual.ln_pre."}, // sic
	{"vision_model.post_layernorm.", "visual.ln_post."},
	{"vision_model.encoder.layers.", "visual.transformer.resblocks."},
	{"visual_projection.weight", "visual.proj"},
	{"text_model.embeddings.token_embedding.", "token_embedding."},
	{"text_model.embeddings.position_embedding.weight", "positional_embedding"},
	{"text_model.encoder.layers.", "transformer.resblocks."},
	{"text_model.final_layer_norm.", "ln_final."},
	{"text_projection.weight", "text_projection"},
	{"logit_scale", "logit_scale"},
}

var huggingFaceLayer = [][2]string{
	{".self_attn.out_proj.", ".attn.out_proj."},
	{".self_attn.in_proj_", ".attn.in_proj_"}, // after joining
	{".layer_norm1.", ".ln_1."},
	{".layer_norm2.", ".ln_2."},
	{".mlp.fc1.", ".mlp.c_fc."},
	{".mlp.fc2.", ".mlp.c_proj."},
}

func fromHuggingFace(tensors []Tensor) ([]Tensor, error) {
	joined, err := joinProjections(tensors)
	if err != nil {
		return nil, err
	}
	var out []Tensor
	for _, t := range joined {
		if strings.HasSuffix(t.Name, ".position_ids") { // a buffer of old files
			continue
		}
		if t.Name == "visual_projection.weight" || t.Name == "text_projection.weight" {
			if t, err = transposed(t); err != nil {
				return nil, err
			}
		}
		if name := openAIName(t.Name); name != "" {
			t.Name = name
		}
		out = append(out, t) // an unknown name stays, for Load to report
	}
	return out, nil
}

// openAIName renames a Hugging Face tensor, "" where it has no counterpart.
func openAIName(name string) string {
	for _, pair := range huggingFaceNames {
		rest, ok := strings.CutPrefix(name, pair[0])
		if !ok || (rest != "" && !strings.HasSuffix(pair[0], ".")) {
			continue
		}
		for _, part := range huggingFaceLayer {
			rest = strings.Replace(rest, part[0], part[1], 1)
		}
		return pair[1] + rest
	}
	return ""
}

// joinProjections stacks each attention's query, key and value projection, in that
// order, into one as torch.nn.MultiheadAttention stores it.
func joinProjections(tensors []Tensor) ([]Tensor, error) {
	byName := make(map[string]Tensor, len(tensors))
	for _, t := range tensors {
		byName[t.Name] = t
	}
	var out []Tensor
	for _, t := range tensors {
		stem, kind, ok := strings.Cut(t.Name, ".self_attn.q_proj.")
		switch {
		case ok:
			key, value := stem+".self_attn.k_proj."+kind, stem+".self_attn.v_proj."+kind
			joined, err := stacked(stem+".self_attn.in_proj_"+kind, t, byName[key], byName[value])
			if err != nil {
				return nil, err
			}
			out = append(out, joined)
		case strings.Contains(t.Name, ".self_attn.k_proj."), strings.Contains(t.Name, ".self_attn.v_proj."):
		default:
			out = append(out, t)
		}
	}
	return out, nil
}

// stacked concatenates tensors of one type and shape along their first axis.
func stacked(name string, parts ...Tensor) (Tensor, error) {
	first := parts[0]
	out := Tensor{Name: name, DType: first.DType, Shape: slices.Clone(first.Shape)}
	if len(first.Shape) == 0 {
		return Tensor{}, fmt.Errorf("tensor %.80q: a scalar where a projection is due", first.Name)
	}
	out.Shape[0] *= len(parts)
	for _, p := range parts {
		if p.DType != first.DType || !slices.Equal(p.Shape, first.Shape) {
			return Tensor{}, fmt.Errorf("tensor %.80q: its key or value projection is missing or of another shape", first.Name)
		}
		out.Data = append(out.Data, p.Data...)
	}
	return out, nil
}

// transposed swaps the axes of a matrix.
func transposed(t Tensor) (Tensor, error) {
	if len(t.Shape) != 2 {
		return Tensor{}, fmt.Errorf("tensor %.80q: shape %v, want a matrix", t.Name, t.Shape)
	}
	rows, columns, size := t.Shape[0], t.Shape[1], t.DType.size()
	data := make([]byte, len(t.Data))
	for r := range rows {
		for c := range columns {
			copy(data[(c*rows+r)*size:][:size], t.Data[(r*columns+c)*size:])
		}
	}
	return Tensor{Name: t.Name, DType: t.DType, Shape: []int{columns, rows}, Data: data}, nil
}
