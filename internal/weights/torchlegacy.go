package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cutline-go/cutline/internal/pickle"
)

// A legacy file, torch.save's format before 1.6 and of tensors inside plain pickles,
// is pickles one after another: the magic number, the protocol's, what machine wrote
// it, the object, and the keys of its storages. Then follows, for each key, the
// number of elements (int64) and the elements.
// Source: torch/serialization.py, _legacy_save and _legacy_load.
const (
	// The magic number 0x1950a86a20f9469cfc6c, as a pickle without what its protocol
	// puts before, and the protocol.
	legacyMagic    = "\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
	legacyProtocol = 1001

	// What nearly every machine says of itself: protocol_version 1001, little_endian,
	// type_sizes {short: 2, int: 4, long: 4}.
	legacyLittle = "\x80\x02}q\x00(X\x10\x00\x00\x00protocol_versionq\x01M\xe9\x03X\r\x00\x00\x00little_endianq\x02\x88" +
		"X\n\x00\x00\x00type_sizesq\x03}q\x04(X\x05\x00\x00\x00shortq\x05K\x02X\x03\x00\x00\x00intq\x06K\x04" +
		"X\x04\x00\x00\x00longq\x07K\x04uu."
)

// legacyFile is a legacy file while it is read.
type legacyFile struct {
	storages map[string]*storage
}

// know returns the storage of that key, which is met once for each tensor in it.
func (f *legacyFile) know(s *storage) (*storage, error) {
	known, ok := f.storages[s.key]
	if !ok {
		f.storages[s.key] = s
		return s, nil
	}
	if known.dtype != s.dtype || known.count != s.count {
		return nil, fmt.Errorf("storage %.40q is said to be two different ones", s.key)
	}
	return known, nil
}

// cutMagic returns what follows the magic number, and whether data begins with it.
func cutMagic(data []byte) ([]byte, bool) {
	const proto, frame = 2, 9 // bytes of the two opcodes that may come first
	if len(data) > proto && data[0] == pickle.Proto {
		data = data[proto:]
	}
	if len(data) > frame && data[0] == pickle.Frame {
		data = data[frame:]
	}
	return bytes.CutPrefix(data, []byte(legacyMagic))
}

// readLegacy returns the object of a legacy file, of which data is what follows the
// magic number. m is free to be used.
func readLegacy(data []byte, m *pickle.Machine) (any, error) {
	f := &legacyFile{storages: map[string]*storage{}}
	m.Resolver = torchResolver{Values: pickle.Values{Budget: m.Budget}, legacy: f}
	protocol, rest, err := m.Run(data)
	if err == nil && protocol != int64(legacyProtocol) {
		err = fmt.Errorf("not %d", legacyProtocol)
	}
	if err != nil {
		return nil, fmt.Errorf("protocol: %w", err)
	}
	if rest, err = skipMachine(rest, m); err != nil {
		return nil, err
	}
	root, rest, err := m.Run(rest)
	if err != nil {
		return nil, fmt.Errorf("object: %w", err)
	}
	keys, rest, err := m.Run(rest)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	list, ok := keys.(*pickle.List)
	if !ok {
		return nil, fmt.Errorf("keys: %s, not a list", pickle.Kind(keys))
	}
	// The pickles could be long, and be read again and again.
	if err := m.Budget.Take(len(data) - len(rest)); err != nil {
		return nil, err
	}
	return root, f.fill(list, rest)
}

// skipMachine passes the third pickle over, unless another order of bytes speaks
// from it.
func skipMachine(data []byte, m *pickle.Machine) ([]byte, error) {
	if rest, ok := bytes.CutPrefix(data, []byte(legacyLittle)); ok {
		return rest, nil
	}
	machine, rest, err := m.Run(data)
	if err != nil {
		return nil, fmt.Errorf("machine: %w", err)
	}
	if d, ok := machine.(*pickle.Dict); ok {
		for key, value := range d.Pairs() {
			if key == "little_endian" && value == true {
				return rest, nil
			}
		}
	}
	return nil, errors.New("written by a machine that is not little-endian")
}

// fill finds the elements of the storages in data, in the order of keys.
func (f *legacyFile) fill(keys *pickle.List, data []byte) error {
	for item := range keys.Items() {
		key, _ := item.(string)
		s, ok := f.storages[key]
		if !ok || s.data != nil {
			return fmt.Errorf("storage %.40q is unknown or listed twice", key)
		}
		if len(data) < 8 {
			return fmt.Errorf("storage %.40q: the file ends before it", key)
		}
		count := binary.LittleEndian.Uint64(data)
		if count != uint64(s.count) {
			return fmt.Errorf("storage %.40q: %d elements, but the object speaks of %d", key, count, s.count)
		}
		data = data[8:]
		if s.count > len(data)/s.dtype.size() {
			return fmt.Errorf("storage %.40q: %d elements of %s are due, but %d bytes are left", key, s.count, s.dtype, len(data))
		}
		n := s.count * s.dtype.size()
		s.data, data = data[:n:n], data[n:]
	}
	if len(data) > 0 {
		return fmt.Errorf("%d bytes follow the last storage", len(data))
	}
	for key, s := range f.storages {
		if s.data == nil {
			return fmt.Errorf("storage %.40q is not listed", key)
		}
	}
	return nil
}
