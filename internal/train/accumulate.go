package train

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// accumulation runs an update in parts: it adds up the gradients of the batch's
// parts and moves the variables once. Nothing of it outlives the update, so there is
// nothing for a checkpoint to hold.
type accumulation struct {
	u         *Updater
	inputs    int               // of the objective
	variables []*model.Variable // whose gradients are added up, in order
	add, move *model.Exec
}

func newAccumulation(engine compute.Backend, u *Updater) (*accumulation, error) {
	a := &accumulation{u: u}
	var err error
	if a.add, err = model.NewExec(engine, u.store, a.addGraph); err != nil {
		return nil, err
	}
	if a.move, err = model.NewExec(engine, u.store, a.moveGraph); err != nil {
		return nil, err
	}
	a.add.SetMaxCache(-1)
	return a, nil
}

// addGraph computes the objective's outputs for one part and adds the part's share
// of the gradient to the sums of the parts before, if there are any.
func (a *accumulation) addGraph(root *model.Scope, inputs []*Node) []*Node {
	losses, variables, gradients := a.u.gradients(root, inputs[:a.inputs])
	a.variables = variables
	sums := inputs[a.inputs:]
	for i := range gradients {
		gradients[i] = DivScalar(gradients[i], float64(a.u.optimizer.Accumulate))
		if len(sums) > 0 {
			gradients[i] = Add(sums[i], gradients[i])
		}
	}
	return append(losses, gradients...)
}

func (a *accumulation) moveGraph(root *model.Scope, inputs []*Node) []*Node {
	// Elsewhere an engine may take variables that are not trained for constants.
	root.Store().SetTraining(inputs[0].Graph(), true)
	return []*Node{a.u.move(root, a.variables, inputs[scalars:], inputs[:scalars])}
}

// step runs one update, and returns the mean of each of the objective's outputs over
// the parts, and the norm of the gradient.
func (a *accumulation) step(arguments []any, inputs []*tensors.Tensor) ([]float64, error) {
	parts := a.u.optimizer.Accumulate
	a.inputs = len(inputs)
	var sums []*tensors.Tensor
	defer func() { free(sums) }()
	var means []float64
	for i := range parts {
		part, err := split(inputs, i, parts)
		if err != nil {
			return nil, err
		}
		out, err := a.add.Call(append(anys(part), anys(sums)...)...)
		free(part)
		if err != nil {
			return nil, err
		}
		free(sums)
		losses := len(out) - len(a.variables)
		values := scalarValues(out[:losses])
		free(out[:losses])
		sums = out[losses:]
		if means == nil {
			means = make([]float64, losses)
		}
		for j, value := range values {
			means[j] += value / float64(parts)
		}
	}
	norm, err := call(a.move, append(arguments, anys(sums)...))
	return append(means, norm...), err
}

// split copies part i of n of a batch: those rows of every input. Scalars go into
// every part.
func split(inputs []*tensors.Tensor, i, n int) ([]*tensors.Tensor, error) {
	out := make([]*tensors.Tensor, len(inputs))
	for j, input := range inputs {
		shape, begin := input.Shape().Clone(), 0
		if shape.Rank() > 0 {
			if shape.Dimensions[0]%n != 0 {
				return nil, fmt.Errorf("a batch of %d cannot be accumulated in %d equal parts", shape.Dimensions[0], n)
			}
			shape.Dimensions[0] /= n
			begin = i * int(shape.ByteSize())
		}
		out[j] = tensors.FromShape(shape)
		var inner error
		err := input.ConstBytes(func(all []byte) {
			inner = out[j].MutableBytes(func(part []byte) { copy(part, all[begin:]) })
		})
		if err := errors.Join(err, inner); err != nil {
			return nil, err
		}
	}
	return out, nil
}
