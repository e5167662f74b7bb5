package train

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Objective builds the scalar loss of one batch. What it returns beyond the loss
// is logged.
type Objective func(root *model.Scope, inputs []*Node) (loss *Node, logged []*Node)

// Optimizer minimises one objective over some scopes of a store.
type Optimizer struct {
	adamw    AdamW
	clip     float64
	scopes   []string
	store    *model.Store
	exec     *model.Exec
	updates  int // that ran; the t of the last one
	gradient Objective
}

// NewOptimizer prepares to minimise objective over the variables below scopes; all
// others stay as they are, to the bit. Gradients are scaled down where their global
// L2 norm exceeds clipNorm; 0 leaves them alone.
func NewOptimizer(engine compute.Backend, store *model.Store, a AdamW, clipNorm float64, scopes []string, objective Objective) (*Optimizer, error) {
	o := &Optimizer{adamw: a, clip: clipNorm, scopes: scopes, store: store, gradient: objective}
	var err error
	if o.exec, err = model.NewExec(engine, store, o.graph); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	o.exec.SetMaxCache(-1) // batches come in the few shapes that the data set makes
	return o, nil
}

// graph computes loss and gradients and moves the variables. Its first inputs are
// the step size and the learning rate.
func (o *Optimizer) graph(root *model.Scope, inputs []*Node) []*Node {
	g := inputs[0].Graph()
	root.Store().SetTraining(g, true)
	loss, logged := o.gradient(root, inputs[2:])
	variables := o.trained(root.Store(), g)
	values := make([]*Node, len(variables))
	for i, v := range variables {
		values[i] = v.NodeValue(g)
	}
	gradients := Gradient(loss, values...)
	norm := globalNorm(gradients)
	if o.clip > 0 {
		// min(1, clip/norm), as torch.nn.utils.clip_grad_norm_ has it.
		scale := Min(ScalarOne(g, norm.DType()), Div(ConstAs(norm, o.clip), AddScalar(norm, 1e-6)))
		for i := range gradients {
			gradients[i] = Mul(gradients[i], scale)
		}
	}
	for i, v := range variables {
		o.adamw.update(root, v, gradients[i], inputs[0], inputs[1])
	}
	return append([]*Node{loss, norm}, logged...)
}

// trained lists the variables of the graph below the optimizer's scopes.
func (o *Optimizer) trained(store *model.Store, g *Graph) []*model.Variable {
	var out []*model.Variable
	for v := range store.IterVariables() {
		inScope := slices.ContainsFunc(o.scopes, func(s string) bool { return strings.HasPrefix(v.Path(), "/"+s+"/") })
		if inScope && v.InUseByGraph(g) {
			out = append(out, v)
		}
	}
	return out
}

func globalNorm(gradients []*Node) *Node {
	squares := make([]*Node, len(gradients))
	for i, gradient := range gradients {
		if gradient.Rank() > 1 {
			// Along the rows first: the go engine's sum of a whole tensor is one running
			// float32, off by per mille over a million values.
			squares[i] = ReduceAllSum(ReduceSum(Square(gradient), -1))
		} else {
			squares[i] = ReduceAllSum(Square(gradient))
		}
	}
	return Sqrt(ReduceAllSum(Stack(squares, 0)))
}

// Step runs one update at learning rate lr: the loss before it, the norm of its
// gradient before clipping, and what the objective logs.
func (o *Optimizer) Step(lr float64, inputs ...any) (loss, norm float32, logged []float32, err error) {
	args := append([]any{float32(o.adamw.stepSize(lr, o.updates+1)), float32(lr)}, inputs...)
	out, err := o.exec.Call(args...)
	if err != nil {
		return 0, 0, nil, fmt.Errorf("train: update %d: %w", o.updates+1, err)
	}
	o.updates++
	values := make([]float32, len(out))
	for i, t := range out {
		values[i] = tensors.ToScalar[float32](t)
		if err := t.FinalizeAll(); err != nil {
			return 0, 0, nil, fmt.Errorf("train: %w", err)
		}
	}
	return values[0], values[1], values[2:], nil
}
