package train

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Learner is a method of one objective, whose updates are all of one kind.
type Learner[B any] struct {
	updater *Updater
	inputs  func(B) ([]*tensors.Tensor, error)
}

// NewLearner prepares to minimise objective over the variables below scopes, as
// [NewUpdater] does; inputs makes a batch into what the objective reads.
func NewLearner[B any](engine compute.Backend, store *model.Store, o Optimizer, scopes []string, objective Objective, inputs func(B) ([]*tensors.Tensor, error)) (*Learner[B], error) {
	u, err := NewUpdater(engine, store, o, scopes, objective)
	return &Learner[B]{u, inputs}, err
}

// Step runs one update.
func (l *Learner[B]) Step(_ context.Context, update int, batch B) (Losses, error) {
	inputs, err := l.inputs(batch)
	if err != nil {
		return nil, err
	}
	return l.updater.Step(update, inputs...)
}

// Loss is the loss of a batch and its parts, without dropout; nothing moves.
func (l *Learner[B]) Loss(batch B) (Losses, error) {
	inputs, err := l.inputs(batch)
	if err != nil {
		return nil, err
	}
	return l.updater.Loss(inputs...)
}

// Need estimates what updates on batches like this one take.
func (l *Learner[B]) Need(batch B) (Need, error) {
	inputs, err := l.inputs(batch)
	if err != nil {
		return Need{}, err
	}
	defer free(inputs)
	return l.updater.need(inputs)
}

// Loss computes the objective without dropout and without an update. It consumes
// inputs, as [Updater.Step] does.
func (u *Updater) Loss(inputs ...*tensors.Tensor) (Losses, error) {
	defer free(inputs)
	var err error
	if u.loss == nil {
		u.loss, err = model.NewExec(u.engine, u.store, u.losses)
		if err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
		u.loss.SetMaxCache(-1)
	}
	values, err := call(u.loss, anys(inputs))
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	losses := make(Losses, len(values))
	for i, name := range u.names {
		losses[i] = Loss{name, values[i]}
	}
	return losses, nil
}
