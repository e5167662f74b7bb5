package weights

import (
	"errors"
	"fmt"

	"github.com/cutline-go/cutline/internal/pickle"
)

// torchResolver knows the classes that torch's files consist of and nothing else.
// Where storages lie depends on the file.
// Source: torch/_utils.py and torch/serialization.py, persistent_load.
type torchResolver struct {
	pickle.Values
	archive *archive    // a zip file's, which names its storages
	legacy  *legacyFile // a legacy file's, where storages follow the pickle
	plain   *plain      // a plain pickle's, which holds legacy files
	script  bool        // a TorchScript archive has classes of its own
}

// storageClass is one of torch's storage types, by its elements.
type storageClass DType

// storage is a run of elements. An archive keeps them under data/key.
type storage struct {
	dtype   DType
	key     string
	count   int
	data    []byte
	archive *archive // where data is to be found, nil once it is
}

// Class implements [pickle.Resolver].
func (r torchResolver) Class(module, name string) (any, error) {
	full := module + "." + name
	if dtype, ok := storageTypes[full]; ok {
		return storageClass(dtype), nil
	}
	switch full {
	case "collections.OrderedDict":
		return pickle.Function(r.newOrderedDict), nil
	case "torch.Size":
		return pickle.Function(newSize), nil
	case "torch._utils._rebuild_tensor_v2":
		return pickle.Function(rebuildTensor), nil
	case "torch._utils._rebuild_parameter":
		return pickle.Function(rebuildParameter), nil
	}
	switch {
	case r.script:
		if found, ok := scriptClass(module, name); ok {
			return found, nil
		}
	case r.plain != nil:
		if found, ok := r.plain.class(full); ok {
			return found, nil
		}
	}
	if found, ok := r.numpyClass(full); ok {
		return found, nil
	}
	return nil, fmt.Errorf("class %.80q is not allowed", full)
}

var storageTypes = map[string]DType{
	"torch.DoubleStorage": F64, "torch.FloatStorage": F32, "torch.HalfStorage": F16, "torch.BFloat16Storage": BF16,
	"torch.LongStorage": I64, "torch.IntStorage": I32, "torch.ShortStorage": I16, "torch.CharStorage": I8,
	"torch.ByteStorage": U8, "torch.BoolStorage": BOOL,
}

// Persistent implements [pickle.Resolver]: the id of a storage is ("storage", class,
// key, device, number of elements), to which legacy files add None.
func (r torchResolver) Persistent(id any) (any, error) {
	fields, ok := id.(pickle.Tuple)
	if ok && r.legacy != nil && len(fields) == 6 {
		if fields[5] != nil {
			return nil, errors.New("a view of a storage, which torch wrote before 0.4; load the file in torch and save it again")
		}
		fields = fields[:5]
	}
	if !ok || len(fields) != 5 || fields[0] != "storage" {
		return nil, errors.New("a persistent id that is not a storage's")
	}
	class, ok1 := fields[1].(storageClass)
	key, ok2 := fields[2].(string)
	count, ok3 := fields[4].(int64)
	if !ok1 || !ok2 || !ok3 {
		return nil, errors.New("a storage without class, key or number of elements")
	}
	n, err := toInt(count)
	if err != nil {
		return nil, err
	}
	s := &storage{dtype: DType(class), key: key, count: n, archive: r.archive}
	if r.legacy != nil {
		return r.legacy.know(s)
	}
	if r.archive == nil {
		return nil, errors.New("a storage outside of a torch file")
	}
	return s, nil
}

// bytes returns the elements, of which there are as many as the storage says.
func (s *storage) bytes() ([]byte, error) {
	if s.archive != nil {
		data, err := s.archive.entry("data/" + s.key)
		if err != nil {
			return nil, err
		}
		s.data, s.archive = data, nil
	}
	if item := s.dtype.size(); len(s.data)%item != 0 || len(s.data)/item != s.count {
		return nil, fmt.Errorf("a storage of %d bytes, not %d elements of %s", len(s.data), s.count, s.dtype)
	}
	return s.data, nil
}

// newOrderedDict makes an empty dict; its items follow as in any dict.
func (r torchResolver) newOrderedDict(args pickle.Tuple) (any, error) {
	if len(args) != 0 {
		return nil, errors.New("OrderedDict with arguments")
	}
	return r.Dict()
}

// newSize unwraps torch.Size, which is a tuple by another name.
func newSize(args pickle.Tuple) (any, error) {
	if len(args) == 1 {
		if size, ok := args[0].(pickle.Tuple); ok {
			return size, nil
		}
	}
	return nil, errors.New("torch.Size without a tuple")
}

// rebuildTensor makes a view from (storage, offset, size, stride,
// requires_grad, hooks), to which later versions add metadata.
func rebuildTensor(args pickle.Tuple) (any, error) {
	if len(args) < 6 || len(args) > 7 {
		return nil, fmt.Errorf("_rebuild_tensor_v2 with %d arguments", len(args))
	}
	s, ok1 := args[0].(*storage)
	offset, ok2 := args[1].(int64)
	size, ok3 := args[2].(pickle.Tuple)
	stride, ok4 := args[3].(pickle.Tuple)
	if !ok1 || !ok2 || !ok3 || !ok4 || len(size) != len(stride) || len(size) > maxRank {
		return nil, errors.New("_rebuild_tensor_v2 with wrong arguments")
	}
	v := &view{storage: s, size: make([]int, len(size)), stride: make([]int, len(size))}
	var err error
	if v.offset, err = toInt(offset); err != nil {
		return nil, err
	}
	for i := range size {
		if v.size[i], err = toInt(size[i]); err != nil {
			return nil, err
		}
		if v.stride[i], err = toInt(stride[i]); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// rebuildParameter unwraps a parameter: (tensor, requires_grad, hooks).
func rebuildParameter(args pickle.Tuple) (any, error) {
	if len(args) == 3 {
		if v, ok := args[0].(*view); ok {
			return v, nil
		}
	}
	return nil, errors.New("_rebuild_parameter without a tensor")
}

// toInt checks that a value is a count: a whole number, not negative.
func toInt(v any) (int, error) {
	n, ok := v.(int64)
	switch {
	case !ok:
		return 0, fmt.Errorf("%s for a size, stride, offset or count", pickle.Kind(v))
	case n < 0 || int64(int(n)) != n:
		return 0, fmt.Errorf("%d for a size, stride, offset or count", n)
	}
	return int(n), nil
}
