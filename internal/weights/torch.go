package weights

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cutline-go/cutline/internal/pickle"
)

// torchContent is what a file of torch's holds, before anybody says which of its
// values are wanted.
type torchContent struct {
	format string
	root   any
	budget *pickle.Budget
}

// readTorch reads a file that begins like one of torch's, or nil where data begins
// like none.
func readTorch(data []byte) (*torchContent, error) {
	// What honest files need many times over. With the zip directory, which is bounded
	// apart, it keeps Open's promise.
	f := &torchContent{budget: pickle.NewBudget(16<<20 + 3*len(data))}
	var err error
	rest, legacy := cutMagic(data)
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		err = f.readZip(data)
	case legacy:
		f.format = "legacy torch file"
		f.root, err = readLegacy(rest, &pickle.Machine{Budget: f.budget})
	case data[0] == pickle.Proto:
		f.format = "pickle"
		f.root, err = readPlain(data, f.budget)
	default:
		return nil, nil
	}
	return f, err
}

// readZip reads what torch.save or torch.jit.save wrote as a zip file: the pickle
// data.pkl describes the tensors, data/KEY holds the bytes of each storage,
// byteorder (since torch 2.1) says how they lie. TorchScript adds constants.pkl and
// the code, neither of which is read.
// Source: torch/serialization.py, _save and _load.
func (f *torchContent) readZip(data []byte) error {
	a, err := openArchive(data, f.budget)
	if err != nil {
		return err
	}
	f.format = "torch file"
	script := a.has("constants.pkl")
	if script {
		f.format = "TorchScript archive"
	}
	if a.has("byteorder") {
		order, err := a.entry("byteorder")
		if err != nil {
			return err
		}
		if string(order) != "little" {
			return fmt.Errorf("byte order %.20q, not little", order)
		}
	}
	program, err := a.entry("data.pkl")
	if err != nil {
		return err
	}
	var rest []byte
	r := torchResolver{Values: pickle.Values{Budget: f.budget}, archive: a, script: script}
	f.root, rest, err = (&pickle.Machine{Resolver: r, Budget: f.budget}).Run(program)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes follow the pickle", len(rest))
	}
	if err != nil {
		return fmt.Errorf("data.pkl: %w", err)
	}
	return nil
}

// tensors returns the tensors of the state dict or module that the file holds.
func (f *torchContent) tensors() ([]Tensor, error) {
	named, err := f.views()
	if err != nil {
		return nil, err
	}
	tensors := make([]Tensor, 0, len(named))
	for _, n := range named {
		t, err := n.view.tensor(n.name, f.budget)
		if err != nil {
			return nil, fmt.Errorf("tensor %.80q: %w", n.name, err)
		}
		tensors = append(tensors, t)
	}
	return tensors, nil
}

func (f *torchContent) views() ([]namedView, error) {
	module, ok := f.root.(*pickle.Object)
	if !ok {
		return stateDict(f.root)
	}
	var found []namedView
	if err := moduleViews(module, "", 0, f.budget, &found); err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errors.New("no tensors in the module")
	}
	return found, nil
}
