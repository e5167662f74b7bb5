package weights

import (
	"errors"
	"fmt"

	"github.com/cutline-go/cutline/internal/pickle"
)

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
	d, ok := root.(*pickle.Dict)
	if !ok {
		return nil, fmt.Errorf("%s, not a state dict", pickle.Kind(root))
	}
	found, where := dictViews(d), "the top level"
	// A dict may be shared: it is looked at once, and is no rival of itself.
	seen := map[*pickle.Dict]bool{d: true}
	for k, v := range d.Pairs() {
		child, ok := v.(*pickle.Dict)
		if !ok || seen[child] {
			continue
		}
		seen[child] = true
		views := dictViews(child)
		if len(views) == 0 {
			continue
		}
		key, _ := k.(string)
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

// dictViews returns the tensors that a dict holds directly, none where it is no
// state dict, which names every tensor.
func dictViews(d *pickle.Dict) []namedView {
	var found []namedView
	for key, value := range d.Pairs() {
		v, ok := value.(*view)
		if !ok {
			continue
		}
		name, ok := key.(string)
		if !ok {
			return nil
		}
		found = append(found, namedView{name, v})
	}
	return found
}
