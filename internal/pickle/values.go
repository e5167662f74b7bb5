package pickle

import (
	"errors"
	"iter"
	"slices"
)

// Values are None (nil), bool, int64, float64, string, Bytes, Tuple, *List, *Dict,
// *Object and whatever the resolver makes. They may share parts and contain
// themselves, and nest as deep as memory allows: whoever walks them must not
// follow them without a limit.
type (
	// Bytes are bytes, in place where the pickle is in memory.
	Bytes []byte
	// Tuple is a tuple.
	Tuple []any
	// List keeps what each opcode adds as it came, so that large ones do not move.
	List struct{ chunks [][]any }
	// Dict keeps keys and values in turn, as List does. It does not compare keys: a
	// pickled dict has no duplicates, and the reader of one looks for strings.
	Dict struct {
		chunks [][]any
		budget *Budget
	}
	// Object is an instance of a class that the resolver allows, as its attributes.
	Object struct {
		Class string
		State any
	}
	// Class names a class whose instances are objects.
	Class string
	// Function is a class or function that a pickle may call.
	Function func(args Tuple) (any, error)
	// Builder is what a pickle may give a state to.
	Builder interface{ Build(state any) error }
	// Setter is a dict: items are keys and values in turn, valid during the call.
	Setter interface{ SetItems(items []any) error }
)

// Resolver gives a meaning to the names in a pickle. It is the allow-list:
// what it does not know is an error. It makes those values, too, of which files may
// hold millions, and books their memory; [Values] makes the usual ones.
type Resolver interface {
	// Class returns what a global name stands for, often a Function.
	Class(module, name string) (any, error)
	// Persistent returns what an id for data outside the pickle stands for.
	Persistent(id any) (any, error)
	// Text makes a string of valid UTF-8 that is overwritten later.
	Text(utf8 []byte) (any, error)
	// Tuple makes a tuple of items that are overwritten later, other than the
	// arguments of a function.
	Tuple(items []any) (any, error)
	// Dict makes an empty dict.
	Dict() (Setter, error)
}

// Values makes strings, Tuples and Dicts.
type Values struct{ Budget *Budget }

// Persistent implements [Resolver]: there is nothing outside of the pickle.
func (Values) Persistent(any) (any, error) {
	return nil, errors.New("data outside of the pickle")
}

// Text implements [Resolver].
func (v Values) Text(utf8 []byte) (any, error) {
	if err := v.Budget.Take(costText + len(utf8) + len(utf8)/8); err != nil {
		return nil, err
	}
	return string(utf8), nil
}

// Tuple implements [Resolver].
func (v Values) Tuple(items []any) (any, error) {
	if err := v.Budget.Take(costContainer + costSlot*len(items)); err != nil {
		return nil, err
	}
	return Tuple(slices.Clone(items)), nil
}

// Dict implements [Resolver].
func (v Values) Dict() (Setter, error) {
	if err := v.Budget.Take(costContainer); err != nil {
		return nil, err
	}
	return &Dict{budget: v.Budget}, nil
}

// SetItems implements [Setter].
func (d *Dict) SetItems(items []any) error {
	if err := d.budget.Take(costChunk + costSlot*len(items)); err != nil {
		return err
	}
	d.chunks = append(d.chunks, slices.Clone(items))
	return nil
}

// Pairs returns the keys and values of d in their order.
func (d *Dict) Pairs() iter.Seq2[any, any] {
	return func(yield func(key, value any) bool) {
		for _, chunk := range d.chunks {
			for i := 0; i < len(chunk); i += 2 {
				if !yield(chunk[i], chunk[i+1]) {
					return
				}
			}
		}
	}
}

// Items returns the values of l in their order.
func (l *List) Items() iter.Seq[any] { return each(l.chunks...) }

// Items returns the values of t in their order.
func (t Tuple) Items() iter.Seq[any] { return each(t) }

func each(chunks ...[]any) iter.Seq[any] {
	return func(yield func(any) bool) {
		for _, chunk := range chunks {
			for _, item := range chunk {
				if !yield(item) {
					return
				}
			}
		}
	}
}

// Build implements [Builder].
func (o *Object) Build(state any) error { o.State = state; return nil }

// Kind names a value's type in errors, with its article. A value of a resolver's is
// what its method Kind says, or an object.
func Kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a bool"
	case int64:
		return "an int"
	case float64:
		return "a float"
	case string:
		return "a string"
	case Bytes:
		return "bytes"
	case Tuple:
		return "a tuple"
	case *List:
		return "a list"
	case Setter:
		return "a dict"
	case Function:
		return "a function"
	case interface{ Kind() string }:
		return v.Kind()
	}
	return "an object"
}
