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

// namedView is an entry of a state dict.
type namedView struct {
	name string
	view *view
}

// stateDict finds the state dict in what a training script saved: root
// itself where it holds tensors, else the one dict directly below it that
// does, as in {"state_dict": …, "epoch": 7}. Names carry no prefix for it.
// Where several dicts qualify, such as a model and its moving average, there
// is no telling which is meant, and it is an error. Optimizer states keep
// their tensors deeper, and numbers and texts beside the tensors are ignored.
func stateDict(root any) ([]namedView, error) {
	d, ok := root.(*dict)
	if !ok {
		return nil, fmt.Errorf("%s, not a state dict", kind(root))
	}
	found, where := d.views(), "the top level"
	// A dict may be shared: it is looked at once, and is no rival of itself.
	seen := map[*dict]bool{d: true}
	for i, v := range d.values {
		child, ok := v.(*dict)
		if !ok || seen[child] {
			continue
		}
		seen[child] = true
		views := child.views()
		if len(views) == 0 {
			continue
		}
		key, _ := d.keys[i].(string)
		if len(found) > 0 {
			return nil, fmt.Errorf("several state dicts, in %s and in %.80q; save the one that is meant alone", where, key)
		}
		found, where = views, fmt.Sprintf("%.80q", key)
	}
	if len(found) == 0 {
		return nil, errors.New("no tensors in the state dict")
	}
	return found, nil
}
