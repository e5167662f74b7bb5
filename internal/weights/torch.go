package weights

import (
	"errors"
	"fmt"
)

// parseTorchZip returns the tensors of a state dict that torch.save wrote as
// a zip file: the pickle data.pkl describes the tensors, data/KEY holds the
// bytes of each storage, byteorder (since torch 2.1) says how they lie.
// Source: torch/serialization.py, _save and _load.
func parseTorchZip(data []byte) ([]Tensor, error) {
	b := newBudget(len(data))
	a, err := openArchive(data, b)
	if err != nil {
		return nil, err
	}
	if a.has("constants.pkl") {
		return nil, errors.New("a TorchScript archive, not a state dict")
	}
	if a.has("byteorder") {
		order, err := a.entry("byteorder")
		if err != nil {
			return nil, err
		}
		if string(order) != "little" {
			return nil, fmt.Errorf("byte order %.20q, not little", order)
		}
	}
	program, err := a.entry("data.pkl")
	if err != nil {
		return nil, err
	}
	root, rest, err := unpickle(program, torchResolver{}, b)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes follow the pickle", len(rest))
	}
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	named, err := stateDict(root)
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	tensors := make([]Tensor, 0, len(named))
	for _, n := range named {
		t, err := n.view.tensor(a, n.name)
		if err != nil {
			return nil, fmt.Errorf("tensor %.80q: %w", n.name, err)
		}
		tensors = append(tensors, t)
	}
	return tensors, nil
}
