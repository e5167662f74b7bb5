package weights

import (
	"errors"
	"fmt"

	"github.com/cutline-go/cutline/internal/pickle"
)

// plain is a plain pickle while it is read: what pickle.dump wrote, not torch.save.
// A tensor in it is _rebuild_tensor_v2 as elsewhere, of a storage that is a whole
// legacy file in the pickle's bytes.
type plain struct {
	inner *pickle.Machine // for those files, one after the other
}

// readPlain returns the value of a pickle that makes up all of data.
func readPlain(data []byte, b *pickle.Budget) (any, error) {
	p := &plain{inner: &pickle.Machine{Budget: b}}
	m := &pickle.Machine{Resolver: torchResolver{Values: pickle.Values{Budget: b}, plain: p}, Budget: b}
	root, rest, err := m.Run(data)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes follow the pickle", len(rest))
	}
	return root, err
}

// class returns what a name stands for in a plain pickle alone.
func (p *plain) class(full string) (any, bool) {
	switch full {
	case "torch.storage._load_from_bytes":
		return pickle.Function(p.loadFromBytes), true
	case "transformers.models.gpt2.configuration_gpt2.GPT2Config":
		return pickle.Class("GPT2Config"), true
	}
	return nil, false
}

// loadFromBytes returns the storage in a legacy file that is an argument.
func (p *plain) loadFromBytes(args pickle.Tuple) (any, error) {
	var data pickle.Bytes
	if len(args) == 1 {
		data, _ = args[0].(pickle.Bytes)
	}
	rest, ok := cutMagic(data)
	if !ok {
		return nil, errors.New("_load_from_bytes of what is no legacy torch file")
	}
	root, err := readLegacy(rest, p.inner)
	if err != nil {
		return nil, fmt.Errorf("_load_from_bytes: %w", err)
	}
	if _, ok := root.(*storage); !ok {
		return nil, fmt.Errorf("_load_from_bytes of %s, not a storage", pickle.Kind(root))
	}
	return root, nil
}
