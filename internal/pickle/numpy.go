package pickle

import (
	"errors"
	"slices"
)

// NumPyType is the type of little-endian numbers of numpy's, such as "f8".
type NumPyType struct{ Code string }

// NumPy returns what those of numpy's names stand for that say what a number is: a
// function for a NumPyType, and the one by which numbers become bytes in protocols that
// have none.
func (v Values) NumPy(full string) (any, bool) {
	switch full {
	case "numpy.dtype":
		return Function(newNumPyType), true
	case "_codecs.encode":
		return Function(v.encodeLatin1), true
	}
	return nil, false
}

func newNumPyType(args Tuple) (any, error) {
	if len(args) > 0 {
		code, ok := args[0].(string)
		if ok && slices.Contains([]string{"f8", "f4", "f2", "i8", "i4", "i2", "i1", "u1", "b1"}, code) {
			return &NumPyType{code}, nil
		}
	}
	return nil, errors.New("a numpy type that is no plain number")
}

// Build takes (version, order of bytes, …).
func (*NumPyType) Build(state any) error {
	fields, ok := state.(Tuple)
	if !ok || len(fields) < 2 {
		return errors.New("a numpy type without its order of bytes")
	}
	if order := fields[1]; order != "<" && order != "|" && order != "=" {
		return errors.New("a numpy type that is not little-endian")
	}
	return nil
}

// encodeLatin1 is how Python writes bytes in protocols 0 to 2: as a text whose
// characters are the bytes.
func (v Values) encodeLatin1(args Tuple) (any, error) {
	if len(args) == 2 && args[1] == "latin1" {
		if text, ok := args[0].(string); ok {
			if err := v.Budget.Take(len(text) + len(text)/8); err != nil {
				return nil, err
			}
			out := make(Bytes, 0, len(text))
			for _, r := range text {
				if r > 0xff {
					return nil, errors.New("bytes that are not latin1")
				}
				out = append(out, byte(r))
			}
			return out, nil
		}
	}
	return nil, errors.New("_codecs.encode of something else than bytes")
}
