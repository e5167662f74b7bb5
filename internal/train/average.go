package train

import (
	"errors"
	"fmt"
	"math"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// averageScope holds the running averages of weights, beside the networks in the
// store, and so in every checkpoint.
const averageScope = "average"

// averageDecay is the decay at update t, from 0, of an exponential average that
// stands for no weights but those after its own updates, without the bias of a first
// value: d·(1−dᵗ)/(1−dᵗ⁺¹) goes from 0 to d, as dividing a sum that begins at 0 by
// 1−dᵗ⁺¹ would (Kingma & Ba 2015, section 3).
func averageDecay(decay float64, t int) float64 {
	return decay * (1 - math.Pow(decay, float64(t))) / (1 - math.Pow(decay, float64(t+1)))
}

// average moves v's average towards v, which was just updated.
func average(root *model.Scope, v *model.Variable, decay *Node) {
	g := decay.Graph()
	a := companion(root, averageScope, v)
	a.SetNodeValue(Add(Mul(decay, a.NodeValue(g)), Mul(OneMinus(decay), v.NodeValue(g))))
}

// WithAverage calls f while the variables of store that are averaged hold their
// averages; afterwards they hold again what they held. Without [Optimizer.Average]
// it just calls f.
func WithAverage(store *model.Store, f func() error) (err error) {
	for a := range store.IterVariables() {
		path, ok := strings.CutPrefix(a.Path(), "/"+averageScope+"/")
		if !ok {
			continue
		}
		v := store.GetVariable("/" + path)
		if v == nil {
			return fmt.Errorf("train: an average of /%s, which is not there", path)
		}
		own, e := v.Value()
		if e != nil {
			return fmt.Errorf("train: %w", e)
		}
		averaged, e := a.Value()
		if e != nil {
			return fmt.Errorf("train: %w", e)
		}
		if e := v.SetValuePreservingOld(averaged); e != nil {
			return fmt.Errorf("train: %w", e)
		}
		defer func(own *tensors.Tensor) { err = errors.Join(err, v.SetValuePreservingOld(own)) }(own)
	}
	return f()
}
