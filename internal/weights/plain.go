package weights

import (
	"errors"
	"fmt"
)

// plain is a plain pickle while it is read: what pickle.dump wrote, not torch.save.
// A tensor in it is _rebuild_tensor_v2 as elsewhere, of a storage that is a whole
// legacy file in the pickle's bytes.
type plain struct {
	inner *machine // for those files, one after the other
}

// readPlain returns the value of a pickle that makes up all of data.
func readPlain(data []byte, b *budget) (any, error) {
	p := &plain{inner: &machine{budget: b}}
	root, rest, err := unpickle(data, torchResolver{budget: b, plain: p}, b)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes follow the pickle", len(rest))
	}
	return root, err
}

// class returns what a name stands for in a plain pickle alone.
func (p *plain) class(full string) (any, bool) {
	switch full {
	case "torch.storage._load_from_bytes":
		return reducer(p.loadFromBytes), true
	case "transformers.models.gpt2.configuration_gpt2.GPT2Config":
		return objectClass("GPT2Config"), true
	}
	return nil, false
}

// loadFromBytes returns the storage in a legacy file that is an argument.
func (p *plain) loadFromBytes(args tuple) (any, error) {
	var data blob
	if len(args) == 1 {
		data, _ = args[0].(blob)
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
		return nil, fmt.Errorf("_load_from_bytes of %s, not a storage", kind(root))
	}
	return root, nil
}
