package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// byte returns the next byte.
func (m *Machine) byte() (byte, error) {
	b, err := m.take(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

// uint returns the next little-endian number of width bytes, at most 8.
func (m *Machine) uint(width uint64) (uint64, error) {
	b, err := m.take(width)
	if err != nil {
		return 0, err
	}
	var full [8]byte
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:]), nil
}

// literal pushes the constant that op and the bytes behind it spell.
func (m *Machine) literal(op byte) error {
	switch op {
	case opNone:
		return m.push(nil)
	case opNewTrue:
		return m.push(true)
	case opNewFalse:
		return m.push(false)
	case opBinInt1:
		return m.integer(1)
	case opBinInt2:
		return m.integer(2)
	case opBinInt:
		n, err := m.uint(4)
		return m.pushNew(costNumber, int64(int32(n)), err)
	case opLong1:
		return m.long()
	case opBinFloat: // the one big-endian number in a pickle
		b, err := m.take(8)
		if err != nil {
			return err
		}
		return m.pushNew(costNumber, math.Float64frombits(binary.BigEndian.Uint64(b)), nil)
	case opInt, opLong, opFloat:
		return m.decimal(op)
	case opString, opUnicode:
		return m.escaped(op == opString)
	case opShortBinString:
		return m.binString(1)
	case opBinString:
		return m.binString(4)
	case opShortBinUnicode:
		return m.unicode(1)
	case opBinUnicode:
		return m.unicode(4)
	case opBinUnicode8:
		return m.unicode(8)
	case opShortBinBytes:
		return m.bytes(1)
	case opBinBytes:
		return m.bytes(4)
	case opBinBytes8, opByteArray8:
		return m.bytes(8)
	}
	return fmt.Errorf("opcode %s is not allowed", opcodeName(op))
}

// integer pushes the next unsigned number of width bytes.
func (m *Machine) integer(width uint64) error {
	n, err := m.uint(width)
	return m.pushNew(costNumber, int64(n), err)
}

// long pushes a two's-complement number of up to 8 bytes: no length, count or
// setting in a model is longer.
func (m *Machine) long() error {
	width, err := m.byte()
	if err != nil {
		return err
	}
	if width > 8 {
		return fmt.Errorf("an integer of %d bytes", width)
	}
	n, err := m.uint(uint64(width))
	unused := 64 - 8*uint(width)
	return m.pushNew(costNumber, int64(n<<unused)>>unused, err)
}

// counted returns the bytes behind a length of width bytes.
func (m *Machine) counted(width uint64) ([]byte, error) {
	n, err := m.uint(width)
	if err != nil {
		return nil, err
	}
	return m.take(n)
}

// unicode pushes a string behind a length of width bytes.
func (m *Machine) unicode(width uint64) error {
	b, err := m.counted(width)
	if err == nil && !utf8.Valid(b) {
		err = errors.New("a string that is not UTF-8")
	}
	if err != nil {
		return err
	}
	text, err := m.Resolver.Text(b)
	return m.pushNew(0, text, err)
}

// bytes pushes the bytes behind a length of width bytes.
func (m *Machine) bytes(width uint64) error {
	b, err := m.counted(width)
	return m.pushBytes(b, m.stream != nil, err)
}

// pushBytes pushes bytes, or a copy of those that are overwritten later.
func (m *Machine) pushBytes(b []byte, overwritten bool, err error) error {
	if err == nil && overwritten {
		err = m.Budget.Take(len(b) + len(b)/8)
	}
	if err == nil && overwritten {
		b = bytes.Clone(b)
	}
	return m.pushNew(costText, Bytes(b), err)
}

// proto checks the protocol's number.
func (m *Machine) proto() error {
	version, err := m.byte()
	if err == nil && (version < 2 || version > 5) {
		err = fmt.Errorf("pickle protocol %d is none of 2 to 5", version)
	}
	return err
}

// frame checks a frame's length. Frames serve buffering and mean nothing else.
func (m *Machine) frame() error {
	n, err := m.uint(8)
	if left := len(m.in) - m.pos; err == nil && m.stream == nil && n > uint64(left) {
		err = fmt.Errorf("a frame of %d bytes, but %d are left", n, left)
	}
	return err
}
