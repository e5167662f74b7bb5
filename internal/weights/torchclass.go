package weights

import (
	"errors"
	"fmt"
)

// torchResolver knows the classes of a state dict and nothing else.
// Source: torch/_utils.py and torch/serialization.py, persistent_load.
type torchResolver struct{}

// storageClass is one of torch's storage types, by its elements.
type storageClass DType

// storage is a run of elements that the archive keeps under data/key.
type storage struct {
	dtype DType
	key   string
	count int
}

// class implements resolver.
func (torchResolver) class(module, name string) (any, error) {
	switch module + " " + name {
	case "collections OrderedDict":
		return reducer(newOrderedDict), nil
	case "torch Size":
		return reducer(newSize), nil
	case "torch._utils _rebuild_tensor_v2":
		return reducer(rebuildTensor), nil
	case "torch._utils _rebuild_parameter":
		return reducer(rebuildParameter), nil
	case "torch DoubleStorage":
		return storageClass(F64), nil
	case "torch FloatStorage":
		return storageClass(F32), nil
	case "torch HalfStorage":
		return storageClass(F16), nil
	case "torch BFloat16Storage":
		return storageClass(BF16), nil
	case "torch LongStorage":
		return storageClass(I64), nil
	case "torch IntStorage":
		return storageClass(I32), nil
	case "torch ShortStorage":
		return storageClass(I16), nil
	case "torch CharStorage":
		return storageClass(I8), nil
	case "torch ByteStorage":
		return storageClass(U8), nil
	case "torch BoolStorage":
		return storageClass(BOOL), nil
	}
	return nil, fmt.Errorf("class %.80q is not allowed", module+"."+name)
}

// persistent implements resolver: the id of a storage is ("storage", class,
// key, device, number of elements).
func (torchResolver) persistent(id any) (any, error) {
	fields, ok := id.(tuple)
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
	return &storage{dtype: DType(class), key: key, count: n}, err
}

// newOrderedDict makes an empty dict; its items follow as in any dict.
func newOrderedDict(args tuple) (any, error) {
	if len(args) != 0 {
		return nil, errors.New("OrderedDict with arguments")
	}
	return &dict{}, nil
}

// newSize unwraps torch.Size, which is a tuple by another name.
func newSize(args tuple) (any, error) {
	if len(args) == 1 {
		if size, ok := args[0].(tuple); ok {
			return size, nil
		}
	}
	return nil, errors.New("torch.Size without a tuple")
}

// rebuildTensor makes a view from (storage, offset, size, stride,
// requires_grad, hooks), to which later versions add metadata.
func rebuildTensor(args tuple) (any, error) {
	if len(args) < 6 || len(args) > 7 {
		return nil, fmt.Errorf("_rebuild_tensor_v2 with %d arguments", len(args))
	}
	s, ok1 := args[0].(*storage)
	offset, ok2 := args[1].(int64)
	size, ok3 := args[2].(tuple)
	stride, ok4 := args[3].(tuple)
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
func rebuildParameter(args tuple) (any, error) {
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
		return 0, fmt.Errorf("%s for a size, stride, offset or count", kind(v))
	case n < 0 || int64(int(n)) != n:
		return 0, fmt.Errorf("%d for a size, stride, offset or count", n)
	}
	return int(n), nil
}
