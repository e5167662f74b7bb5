package recipe

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// Average writes to out the model whose weights are the means of those of models, one folder or more
// that went different ways from one start. What the ways share is kept, and what each
// made of chance is lost (Wortsman et al. 2022, arXiv:2203.05482, a uniform soup). The
// models must be alike but for their names and weights; out has the first one's name.
// Its run.json holds theirs.
func Average(out string, models []string) error {
	if err := modelfolder.Writable(out); err != nil {
		return err
	}
	var folders []*modelfolder.Folder
	defer func() {
		for _, f := range folders {
			_ = f.Close() // it was only read
		}
	}()
	for _, path := range models {
		f, err := modelfolder.Open(path)
		if err != nil {
			return err
		}
		folders = append(folders, f)
		if f.Memory != nil {
			return fmt.Errorf("%s: has a memory of texts, of which there is no average", path)
		}
		if what := difference(folders[0].Model, f.Model); what != "" {
			return fmt.Errorf("%s and %s differ in %s", models[0], path, what)
		}
	}
	m := folders[0].Model
	m.Tensors = slices.Clone(m.Tensors)
	for i := range m.Tensors {
		var err error
		if m.Tensors[i], err = averaged(folders, i); err != nil {
			return err
		}
	}
	var err error
	if m.Run, err = averageJSON(models, folders); err != nil {
		return err
	}
	return modelfolder.Write(out, m)
}

// difference tells in what besides name and weights two models differ, "" for nothing.
func difference(a, b modelfolder.Model) string {
	b.Config.Name = a.Config.Name
	switch {
	case !reflect.DeepEqual(a.Config, b.Config):
		return "config.json"
	case !sameTokens(a.CLIPTokenizer, b.CLIPTokenizer) || !sameTokens(a.GPTTokenizer, b.GPTTokenizer) || !sameTokens(a.RoBERTaTokenizer, b.RoBERTaTokenizer):
		return "a tokenizer"
	case len(a.Tensors) != len(b.Tensors):
		return "their tensors"
	}
	for i, t := range a.Tensors {
		if u := b.Tensors[i]; t.Name != u.Name || !slices.Equal(t.Shape, u.Shape) {
			return fmt.Sprintf("tensor %.80q", t.Name)
		}
	}
	return ""
}

func sameTokens(a, b *tokenizer.BPE) bool {
	if a == nil || b == nil || a.Size() != b.Size() {
		return a == b
	}
	for id := range a.Size() {
		if a.Token(id) != b.Token(id) {
			return false
		}
	}
	return true
}

// averaged averages the tensor at i of each folder, in the type of the first.
func averaged(folders []*modelfolder.Folder, i int) (weights.Tensor, error) {
	first := folders[0].Tensors[i]
	var sums []float64
	for _, f := range folders {
		values, err := f.Tensors[i].Float32()
		if err != nil {
			return weights.Tensor{}, err
		}
		if sums == nil {
			sums = make([]float64, len(values))
		}
		for j, v := range values {
			sums[j] += float64(v)
		}
	}
	means := make([]float32, len(sums))
	for j, sum := range sums {
		means[j] = float32(sum / float64(len(folders)))
	}
	return weights.FromFloat32(first.Name, first.DType, first.Shape, means)
}

// averageJSON is the run.json of an average.
func averageJSON(models []string, folders []*modelfolder.Folder) ([]byte, error) {
	type part struct {
		Model string          `json:"model"`
		Run   json.RawMessage `json:"run,omitempty"`
	}
	var parts []part
	for i, f := range folders {
		parts = append(parts, part{models[i], f.Run})
	}
	out, err := json.MarshalIndent(struct {
		AverageOf []part `json:"average_of"`
	}{parts}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("run.json: %w", err)
	}
	return append(out, '\n'), nil
}
