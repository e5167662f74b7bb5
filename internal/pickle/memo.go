package pickle

import (
	"fmt"
	"strconv"
)

// memo holds what a pickle refers to again. Python numbers the entries in order;
// chunks keep them without moving any but those of the first.
type memo struct {
	chunks [][]any // each of memoChunk, but for the last
	count  uint32  // of the entries in chunks
	loose  map[uint32]any
}

const memoChunk = 512

// clear forgets all entries and keeps the room of the first chunk.
func (m *memo) clear() {
	if len(m.chunks) > 0 {
		m.chunks = m.chunks[:1]
		clear(m.chunks[0])
		m.chunks[0] = m.chunks[0][:0]
	}
	m.count, m.loose = 0, nil
}

// put books and stores an entry, which may replace one.
func (m *memo) put(i uint32, value any, b *Budget) error {
	switch {
	case i < m.count:
		m.chunks[i/memoChunk][i%memoChunk] = value
		return nil
	case i > m.count:
		if m.loose == nil {
			m.loose = map[uint32]any{}
		}
		m.loose[i] = value
		return b.Take(costLoose)
	}
	switch at := int(i / memoChunk); {
	case at < len(m.chunks):
	case at == 0:
		m.chunks = append(m.chunks, nil)
	default:
		m.chunks = append(m.chunks, make([]any, 0, memoChunk))
	}
	last := &m.chunks[i/memoChunk]
	*last = append(*last, value)
	m.count++
	delete(m.loose, i)
	return b.Take(costMemo)
}

// get returns an entry.
func (m *memo) get(i uint32) (any, error) {
	if i < m.count {
		return m.chunks[i/memoChunk][i%memoChunk], nil
	}
	value, ok := m.loose[i]
	if !ok {
		return nil, fmt.Errorf("the memo has no entry %d", i)
	}
	return value, nil
}

// memoIndex reads the index of a memo opcode.
func (m *Machine) memoIndex(op byte) (uint32, error) {
	switch op {
	case opMemoize:
		return m.memo.count + uint32(len(m.memo.loose)), nil
	case opPut, opGet:
		line, err := m.line(maxGlobal)
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseUint(string(line), 10, 32)
		return uint32(n), err
	case opBinPut, opBinGet:
		n, err := m.uint(1)
		return uint32(n), err
	}
	n, err := m.uint(4)
	return uint32(n), err
}

func (m *Machine) put(op byte) error {
	i, err := m.memoIndex(op)
	if err != nil {
		return err
	}
	value, err := m.below()
	if err != nil {
		return err
	}
	return m.memo.put(i, value, m.Budget)
}

func (m *Machine) get(op byte) error {
	i, err := m.memoIndex(op)
	if err != nil {
		return err
	}
	value, err := m.memo.get(i)
	if err != nil {
		return err
	}
	return m.push(value)
}
