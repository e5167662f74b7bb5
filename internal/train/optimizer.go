package train

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Optimizer is how a network is updated.
type Optimizer struct {
	AdamW    AdamW    `json:"adamw"`
	Schedule Schedule `json:"schedule"`
	Updates  int      `json:"updates"`   // of the whole run, where the schedule ends
	ClipNorm float64  `json:"clip_norm"` // bound of the gradient's L2 norm; 0: none, as in ClipCap
	Seed     int64    `json:"seed"`      // of dropout
}

// Validate reports the first field without a meaning.
func (o Optimizer) Validate() error {
	switch {
	case o.Updates <= 0:
		return fmt.Errorf("train: updates is %d, want more than 0", o.Updates)
	case o.ClipNorm < 0 || math.IsNaN(o.ClipNorm):
		return fmt.Errorf("train: clip_norm is %g, want 0 or more", o.ClipNorm)
	}
	return o.Schedule.Validate()
}

// Losses are the numbers that an update gives to the log, in order.
type Losses []Loss

// Loss is one of them.
type Loss struct {
	Name  string
	Value float64
}

// Objective builds the scalar loss of one batch.
type Objective func(root *model.Scope, inputs []*Node) *Node

// Updater minimises one objective over some scopes of a store.
type Updater struct {
	optimizer Optimizer
	scopes    []string
	objective Objective
	store     *model.Store
	exec      *model.Exec
}

// NewUpdater prepares to minimise objective over the variables below scopes; all
// others stay as they are, to the bit.
func NewUpdater(engine compute.Backend, store *model.Store, o Optimizer, scopes []string, objective Objective) (*Updater, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	u := &Updater{optimizer: o, scopes: scopes, objective: objective, store: store}
	var err error
	if u.exec, err = model.NewExec(engine, store, u.graph); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	u.exec.SetMaxCache(-1) // batches come in the few shapes that a method pads to
	return u, nil
}

// graph computes loss and gradients and moves the variables. Its first inputs are
// the step size and the learning rate.
func (u *Updater) graph(root *model.Scope, inputs []*Node) []*Node {
	g := inputs[0].Graph()
	root.Store().SetTraining(g, true)
	loss := u.objective(root, inputs[2:])
	variables := u.trained(root.Store(), g)
	values := make([]*Node, len(variables))
	for i, v := range variables {
		values[i] = v.NodeValue(g)
	}
	gradients := Gradient(loss, values...)
	norm := globalNorm(gradients)
	if u.optimizer.ClipNorm > 0 {
		// min(1, clip/norm), as torch.nn.utils.clip_grad_norm_ has it.
		scale := Min(ConstAs(norm, 1), Div(ConstAs(norm, u.optimizer.ClipNorm), AddScalar(norm, 1e-6)))
		for i := range gradients {
			gradients[i] = Mul(gradients[i], scale)
		}
	}
	for i, v := range variables {
		u.optimizer.AdamW.update(root, v, gradients[i], inputs[0], inputs[1])
	}
	return []*Node{loss, norm}
}

// trained lists the variables of the graph below the updater's scopes, by path: a
// resumed run creates them in another order than a fresh one, and sums over them
// must not differ in a bit.
func (u *Updater) trained(store *model.Store, g *Graph) []*model.Variable {
	var out []*model.Variable
	for v := range store.IterVariables() {
		inScope := slices.ContainsFunc(u.scopes, func(s string) bool { return strings.HasPrefix(v.Path(), "/"+s+"/") })
		if inScope && v.InUseByGraph(g) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b *model.Variable) int { return strings.Compare(a.Path(), b.Path()) })
	return out
}

func globalNorm(gradients []*Node) *Node {
	squares := make([]*Node, len(gradients))
	for i, gradient := range gradients {
		square := Square(gradient)
		if gradient.Rank() > 1 {
			// Along the rows first: the go engine's sum of a whole tensor is one running
			// float32, off by per mille over a million values.
			square = ReduceSum(square, -1)
		}
		squares[i] = ReduceAllSum(square)
	}
	return Sqrt(ReduceAllSum(Stack(squares, 0)))
}

// Step runs the update with that number, counted from 0: the loss before it and the
// norm of its gradient before clipping. It consumes inputs: an engine may hold their
// copies outside of the memory that Go collects.
func (u *Updater) Step(update int, inputs ...*tensors.Tensor) (Losses, error) {
	defer func() {
		for _, input := range inputs {
			_ = input.FinalizeAll() // it was read; that it cannot be freed fails nothing
		}
	}()
	// Dropout draws from a stream of the update's own, so that a resumed run draws
	// what an uninterrupted one would have drawn.
	if err := u.store.SetRNGStateFromSeed(streamSeed(u.optimizer.Seed, update)); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	lr := u.optimizer.Schedule.Rate(update, u.optimizer.Updates)
	size := u.optimizer.AdamW.stepSize(lr, update+1)
	arguments := []any{float32(size), float32(lr)}
	for _, input := range inputs {
		arguments = append(arguments, input)
	}
	out, err := u.exec.Call(arguments...)
	if err != nil {
		return nil, fmt.Errorf("train: update %d: %w", update, err)
	}
	losses := Losses{{Name: "loss"}, {Name: "gradient_norm"}, {Name: "learning_rate", Value: lr}}
	for i, t := range out {
		losses[i].Value = float64(tensors.ToScalar[float32](t))
		if err := t.FinalizeAll(); err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
		if math.IsNaN(losses[i].Value) || math.IsInf(losses[i].Value, 0) {
			return nil, fmt.Errorf("train: update %d: %s is %g: lower the learning rate or clip the gradient", update, losses[i].Name, losses[i].Value)
		}
	}
	return losses, nil
}

func streamSeed(seed int64, update int) int64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%d", seed, update)
	return int64(h.Sum64())
}
