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

// Losses are the numbers that an update gives to the log, in order. Those of all updates
// of a run have the same names; NaN stands for a number that this one does not have.
type Losses []Loss

// known are the numbers that there are.
func (l Losses) known() Losses {
	return slices.DeleteFunc(slices.Clone(l), func(n Loss) bool { return math.IsNaN(n.Value) })
}

// Loss is one of them.
type Loss struct {
	Name  string
	Value float64
}

// Objective builds the scalar loss of one batch, and the parts of it that the log
// shows beside it.
type Objective func(root *model.Scope, inputs []*Node) (loss *Node, parts []Part)

// Part is a scalar of an objective, for the log alone.
type Part struct {
	Name string
	Node *Node
}

// Updater minimises one objective over some scopes of a store.
type Updater struct {
	optimizer Optimizer
	scopes    []string
	objective Objective
	engine    compute.Backend
	store     *model.Store
	update    *model.Exec   // gradient and step at once
	loss      *model.Exec   // neither; nil until asked for
	names     []string      // of the objective's outputs, once a graph was built
	sum       *accumulation // gradient and step apart; nil without Optimizer.Accumulate
}

// NewUpdater prepares to minimise objective over the variables below scopes; all
// others stay as they are, to the bit.
func NewUpdater(engine compute.Backend, store *model.Store, o Optimizer, scopes []string, objective Objective) (*Updater, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	u := &Updater{optimizer: o, scopes: scopes, objective: objective, engine: engine, store: store}
	var err error
	if u.update, err = model.NewExec(engine, store, u.graph); err == nil && o.Accumulate > 1 {
		u.sum, err = newAccumulation(engine, u)
	}
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	u.update.SetMaxCache(-1) // batches come in the few shapes that a method pads to
	return u, nil
}

// scalars is the number of inputs that stand before the objective's: the step size,
// the learning rate and the decay of the average.
const scalars = 3

// graph computes loss and gradients and moves the variables.
func (u *Updater) graph(root *model.Scope, inputs []*Node) []*Node {
	losses, variables, gradients := u.gradients(root, inputs[scalars:])
	return append(losses, u.move(root, variables, gradients, inputs[:scalars]))
}

// gradients computes the objective's outputs, and the gradient of each variable
// that it depends on.
func (u *Updater) gradients(root *model.Scope, inputs []*Node) (losses []*Node, variables []*model.Variable, gradients []*Node) {
	g := inputs[0].Graph()
	root.Store().SetTraining(g, true)
	losses = u.losses(root, inputs)
	variables = u.trained(root.Store(), g)
	values := make([]*Node, len(variables))
	for i, v := range variables {
		values[i] = v.NodeValue(g)
	}
	return losses, variables, Gradient(losses[0], values...)
}

// losses computes the objective and its parts.
func (u *Updater) losses(root *model.Scope, inputs []*Node) []*Node {
	loss, parts := u.objective(root, inputs)
	losses, names := []*Node{loss}, []string{"loss"}
	for _, part := range parts {
		losses, names = append(losses, part.Node), append(names, part.Name)
	}
	u.names = names
	return losses
}

// move clips the gradients, moves the variables along them, and returns the
// gradients' norm.
func (u *Updater) move(root *model.Scope, variables []*model.Variable, gradients, scalars []*Node) (norm *Node) {
	norm = globalNorm(gradients)
	clip := ConstAs(norm, 1)
	if u.optimizer.ClipNorm > 0 {
		// min(1, clip/norm), as torch.nn.utils.clip_grad_norm_ has it.
		clip = Min(clip, Div(ConstAs(norm, u.optimizer.ClipNorm), AddScalar(norm, 1e-6)))
	}
	for i, v := range variables {
		gradient := gradients[i]
		if u.optimizer.ClipNorm > 0 {
			gradient = Mul(gradient, clip)
		}
		u.optimizer.AdamW.update(root, v, gradient, scalars[0], scalars[1])
		if u.optimizer.Average > 0 {
			average(root, v, scalars[2])
		}
	}
	return norm
}

// trained lists the variables of the graph below the updater's scopes, without the
// running statistics that layers keep themselves, by path: a resumed run creates them in another order than a fresh one, and sums over them
// must not differ in a bit.
func (u *Updater) trained(store *model.Store, g *Graph) []*model.Variable {
	var out []*model.Variable
	for v := range store.IterVariables() {
		inScope := slices.ContainsFunc(u.scopes, func(s string) bool { return strings.HasPrefix(v.Path(), "/"+s+"/") })
		if inScope && v.Trainable && v.InUseByGraph(g) {
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
	defer free(inputs)
	// Dropout draws from a stream of the update's own, so that a resumed run draws
	// what an uninterrupted one would have drawn.
	if err := u.store.SetRNGStateFromSeed(streamSeed(u.optimizer.Seed, update)); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	o := u.optimizer
	lr := o.Schedule.Rate(update, o.Updates)
	arguments := []any{float32(o.AdamW.stepSize(lr, update+1)), float32(lr), float32(averageDecay(o.Average, update))}
	var values []float64
	var err error
	if u.sum != nil {
		values, err = u.sum.step(arguments, inputs)
	} else {
		values, err = call(u.update, append(arguments, anys(inputs)...))
	}
	if err != nil {
		return nil, fmt.Errorf("train: update %d: %w", update, err)
	}
	losses := make(Losses, 0, len(values)+1)
	for i, name := range append(slices.Clone(u.names), "gradient_norm") {
		if math.IsNaN(values[i]) || math.IsInf(values[i], 0) {
			return nil, &DivergedError{Update: update, What: fmt.Sprintf("%s is %g", name, values[i])}
		}
		losses = append(losses, Loss{name, values[i]})
	}
	return append(losses, Loss{"learning_rate", lr}), nil
}

// call runs a graph whose outputs are scalars.
func call(exec *model.Exec, arguments []any) ([]float64, error) {
	out, err := exec.Call(arguments...)
	if err != nil {
		return nil, err
	}
	defer free(out)
	return scalarValues(out), nil
}

func scalarValues(list []*tensors.Tensor) []float64 {
	values := make([]float64, len(list))
	for i, t := range list {
		values[i] = float64(tensors.ToScalar[float32](t))
	}
	return values
}

// free gives tensors back that were read; that one cannot be freed fails nothing.
func free(list []*tensors.Tensor) {
	for _, t := range list {
		_ = t.FinalizeAll()
	}
}

func anys(list []*tensors.Tensor) []any {
	out := make([]any, len(list))
	for i, t := range list {
		out[i] = t
	}
	return out
}

func streamSeed(seed int64, update int) int64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%d", seed, update)
	return int64(h.Sum64())
}
