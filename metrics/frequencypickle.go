package metrics

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/cutline-go/cutline/internal/pickle"
)

// readFrequencyPickle reads the pickled document frequencies of the CIDEr forks that are
// used in training, as Python 2 and 3 write them. It takes at most 64 MB and four times
// the file, however much that says it holds.
func readFrequencyPickle(r io.Reader) (*DocumentFrequencies, error) {
	const base = 56 << 20 // beside what the stack, the memo and the stream begin with
	machine := pickle.Machine{Budget: pickle.NewBudget(base)}
	machine.Resolver = &frequencyResolver{
		Values: pickle.Values{Budget: machine.Budget}, words: map[string]any{},
	}
	value, err := machine.RunStream(bufio.NewReaderSize(r, 1<<16))
	if err != nil {
		return nil, err
	}
	file, _ := value.(*frequencyDict)
	if file == nil || file.documentFrequency == nil {
		return nil, errors.New(`the pickle lacks a dictionary "document_frequency"`)
	}
	images, err := number(file.refLen)
	if err != nil {
		return nil, fmt.Errorf(`"ref_len": %w`, err)
	}
	df := &DocumentFrequencies{math.Log(images), file.documentFrequency.counts}
	if file.documentFrequency.most > images {
		df.logImages = images
	}
	return df, nil
}

// frequencyResolver makes n-grams of tuples and counts of dicts as the file is read.
type frequencyResolver struct {
	pickle.Values
	words  map[string]any // the texts, each once
	tokens []string       // memory to be used again
	hashes []gram
}

// frequencyDict is a dict by keys that are n-grams, or the one with these two keys.
type frequencyDict struct {
	budget *pickle.Budget
	counts map[gram]int
	most   float64

	documentFrequency *frequencyDict
	refLen            any
}

// What a text and an n-gram take in their maps, as these grow; maps begin with room
// for eight.
const (
	costWord  = 192
	costGram  = 80
	costTable = 512
	costOther = 1024 // of a tuple that is no n-gram: far more than it takes, for there are few
)

// Class implements [pickle.Resolver].
func (r *frequencyResolver) Class(module, name string) (any, error) {
	full := module + "." + name
	switch full {
	case "collections.defaultdict":
		return pickle.Function(func(pickle.Tuple) (any, error) { return r.Dict() }), nil
	case "collections.Counter", "collections.OrderedDict":
		return pickle.Function(r.copied), nil
	case "__builtin__.float", "__builtin__.int", "builtins.float", "builtins.int": // of a defaultdict
		return pickle.Class(name), nil
	case "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar":
		return pickle.Function(scalar), nil
	}
	if known, ok := r.NumPy(full); ok {
		return known, nil
	}
	return nil, fmt.Errorf("%.80q, which document frequencies do not need", full)
}

// Text implements [pickle.Resolver].
func (r *frequencyResolver) Text(utf8 []byte) (any, error) {
	known, ok := r.words[string(utf8)]
	if ok {
		return known, nil
	}
	if err := r.Budget.Take(costWord); err != nil {
		return nil, err
	}
	word, err := r.Values.Text(utf8)
	if err == nil {
		r.words[word.(string)] = word
	}
	return word, err
}

// Tuple implements [pickle.Resolver]: a tuple of words is an n-gram.
func (r *frequencyResolver) Tuple(items []any) (any, error) {
	r.tokens = r.tokens[:0]
	for _, item := range items {
		word, ok := item.(string)
		if !ok || len(r.tokens) == maxOrder {
			return r.other(items)
		}
		r.tokens = append(r.tokens, word)
	}
	if len(items) == 0 {
		return r.other(nil)
	}
	r.hashes = appendWords(r.hashes[:0], r.tokens)
	r.hashes = appendGrams(r.hashes, r.hashes, len(items))
	return r.hashes[len(items)], r.Budget.Take(8)
}

func (r *frequencyResolver) other(items []any) (any, error) {
	if err := r.Budget.Take(costOther); err != nil {
		return nil, err
	}
	return r.Values.Tuple(items)
}

// Dict implements [pickle.Resolver].
func (r *frequencyResolver) Dict() (pickle.Setter, error) {
	return &frequencyDict{budget: r.Budget}, r.Budget.Take(64)
}

// copied returns the dict that a dict is made of, as nothing else holds it.
func (r *frequencyResolver) copied(args pickle.Tuple) (any, error) {
	if len(args) == 1 {
		if d, ok := args[0].(*frequencyDict); ok {
			return d, nil
		}
	}
	return r.Dict()
}

// SetItems implements [pickle.Setter].
func (d *frequencyDict) SetItems(items []any) error {
	for i := 0; i < len(items); i += 2 {
		value := items[i+1]
		switch key := items[i].(type) {
		case gram:
			if err := d.set(key, value); err != nil {
				return err
			}
		case string:
			switch key {
			case "document_frequency":
				d.documentFrequency, _ = value.(*frequencyDict)
			case "ref_len":
				d.refLen = value
			}
		default:
			return fmt.Errorf("%s for a key, neither a text nor a tuple of 1 to %d words", pickle.Kind(key), maxOrder)
		}
	}
	return nil
}

func (d *frequencyDict) set(key gram, value any) error {
	count, err := number(value)
	if err == nil && !(count >= 0 && count <= math.MaxUint32) {
		err = fmt.Errorf("%g", count)
	}
	if err != nil {
		return fmt.Errorf("an n-gram in so many images: %w", err)
	}
	if d.counts == nil {
		d.counts = map[gram]int{}
		err = d.budget.Take(costTable)
	}
	if err == nil {
		err = d.budget.Take(costGram)
	}
	d.counts[key], d.most = int(count), max(d.most, count)
	return err
}

func number(v any) (float64, error) {
	switch v := v.(type) {
	case float64:
		return v, nil
	case int64:
		return float64(v), nil
	}
	return 0, fmt.Errorf("%s, not a number", pickle.Kind(v))
}

// scalar reads a numpy number. Python 2 has no bytes but strings.
func scalar(args pickle.Tuple) (any, error) {
	if len(args) == 2 {
		class, _ := args[0].(*pickle.NumPyType)
		data, ok := args[1].(pickle.Bytes)
		if text, is := args[1].(string); is {
			data, ok = pickle.Bytes(text), true
		}
		if ok && class != nil && len(data) == 8 {
			switch bits := binary.LittleEndian.Uint64(data); class.Code {
			case "f8":
				return math.Float64frombits(bits), nil
			case "i8":
				return int64(bits), nil
			}
		}
	}
	return nil, errors.New("a numpy number that is neither f8 nor i8")
}
