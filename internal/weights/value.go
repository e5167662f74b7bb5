package weights

import (
	"fmt"
	"iter"

	"github.com/cutline-go/cutline/internal/pickle"
	"github.com/edsrzf/mmap-go"
)

// Pickle is an open file that pickle.dump or torch.save wrote, as the value in it.
type Pickle struct {
	Value
	mapping mmap.MMap
}

// OpenPickle maps the file at path and reads all values in it but the elements of
// its tensors. Like [Open] it knows no classes but those of lists, numbers, texts and
// tensors, besides the configurations of GPT-2, and runs nothing.
func OpenPickle(path string) (*Pickle, error) {
	mapping, err := mapFile(path)
	if err != nil {
		return nil, err
	}
	torch, err := readTorch(mapping)
	if err == nil && torch == nil {
		err = fmt.Errorf("not a pickle")
	}
	if err != nil {
		_ = mapping.Unmap() // the first error is the one that helps
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &Pickle{Value{torch.root, torch.budget}, mapping}, nil
}

// Close unmaps the file. The Data of its tensors must not be touched afterwards.
func (p *Pickle) Close() error { return p.mapping.Unmap() }

// Value is one of the values of a [Pickle]. It may contain itself.
type Value struct {
	value  any
	budget *pickle.Budget
}

// Kind names the type of v, with its article: "a dict", "a tensor".
func (v Value) Kind() string { return pickle.Kind(v.value) }

// Class returns the class of an object, "" for other values.
func (v Value) Class() string {
	if o, ok := v.value.(*pickle.Object); ok {
		return o.Class
	}
	return ""
}

// Pairs goes through the keys that are texts, and their values, of a dict, or through
// the attributes of an object.
func (v Value) Pairs() iter.Seq2[string, Value] {
	if o, ok := v.value.(*pickle.Object); ok {
		v.value = o.State
	}
	return func(yield func(string, Value) bool) {
		d, ok := v.value.(*pickle.Dict)
		if !ok {
			return
		}
		for key, value := range d.Pairs() {
			if name, ok := key.(string); ok && !yield(name, Value{value, v.budget}) {
				return
			}
		}
	}
}

// Get returns the value of a key of a dict, or an attribute of an object, and whether
// there is one.
func (v Value) Get(key string) (Value, bool) {
	for name, value := range v.Pairs() {
		if name == key {
			return value, true
		}
	}
	return Value{}, false
}

// Items goes through a list or tuple.
func (v Value) Items() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		sequence, ok := v.value.(interface{ Items() iter.Seq[any] })
		if !ok {
			return
		}
		for item := range sequence.Items() {
			if !yield(Value{item, v.budget}) {
				return
			}
		}
	}
}

// Scalar returns nil, a bool, an int64, a float64 or a string, and whether v is one.
func (v Value) Scalar() (any, bool) {
	switch v.value.(type) {
	case nil, bool, int64, float64, string:
		return v.value, true
	}
	return nil, false
}

// Text returns a string, and whether v is one.
func (v Value) Text() (string, bool) {
	text, ok := v.value.(string)
	return text, ok
}

// Int returns a count, and whether v is one: a whole number, not negative.
func (v Value) Int() (int, bool) {
	n, err := toInt(v.value)
	return n, err == nil
}

// Tensor returns v as a tensor of that name, whose Data is valid until Close.
func (v Value) Tensor(name string) (Tensor, error) {
	found, ok := v.value.(*view)
	if !ok {
		return Tensor{}, fmt.Errorf("%.80q: %s, not a tensor", name, pickle.Kind(v.value))
	}
	t, err := found.tensor(name, v.budget)
	if err != nil {
		return Tensor{}, fmt.Errorf("tensor %.80q: %w", name, err)
	}
	return t, nil
}
