package convert

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cutline-go/cutline/internal/roberta"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// addRoBERTa reads the folder of a RoBERTa, where one is named.
func (c *conversion) addRoBERTa(s Sources) (err error) {
	if s.RoBERTa == "" {
		return nil
	}
	var config roberta.Config
	if err := parseFile(filepath.Join(s.RoBERTa, "config.json"), roberta.ParseHuggingFace, &config); err != nil {
		return err
	}
	if c.model.RoBERTaTokenizer, err = tokenizer.Open(s.RoBERTa); err != nil {
		return err
	}
	path, err := tensorsIn(s.RoBERTa)
	if err != nil {
		return err
	}
	tensors, err := c.open(path, func(tensors []weights.Tensor) ([]weights.Tensor, error) {
		return withPooler(weights.RoBERTa(tensors), config.Width)
	})
	if err != nil {
		return err
	}
	c.model.Config.RoBERTa = &config
	c.add("", tensors)
	return nil
}

// withPooler adds the pooler that files for masked language modelling lack, drawn as
// BERT draws it: weights from N(0, 0.02²), biases zero. The draw is always the same.
func withPooler(tensors []weights.Tensor, width int) ([]weights.Tensor, error) {
	const name = roberta.Scope + ".pooler.dense."
	has := func(t weights.Tensor) bool { return strings.HasPrefix(t.Name, name) }
	if slices.ContainsFunc(tensors, has) {
		return tensors, nil
	}
	rng := rand.New(rand.NewPCG(0, 0))
	values := make([]float32, width*width)
	for i := range values {
		values[i] = float32(0.02 * rng.NormFloat64())
	}
	weight, err := weights.FromFloat32(name+"weight", weights.F32, []int{width, width}, values)
	if err != nil {
		return nil, err
	}
	bias, err := weights.FromFloat32(name+"bias", weights.F32, []int{width}, make([]float32, width))
	return append(tensors, weight, bias), err
}
