package engine

import (
	"runtime"
	"slices"
	"unsafe"
)

// pages are memory for weights, outside of Go's heap where the system has a call for that: of
// garbage, Go lets pile up as much as what is on the heap and in use. They go back to the
// system when nothing refers to them.
type pages struct {
	bytes   []byte
	cleanup runtime.Cleanup
}

// large is how many bytes are worth pages of their own.
const large = 1 << 20

func newPages(n int) *pages {
	bytes, err := mapMemory(n)
	if err != nil {
		return &pages{bytes: alignedBytes(n)}
	}
	b := &pages{bytes: bytes}
	b.cleanup = runtime.AddCleanup(b, unmapMemory, bytes)
	return b
}

// free gives the memory back at once: nobody may have any of it.
func (b *pages) free() {
	b.cleanup.Stop()
	unmapMemory(b.bytes)
	b.bytes = nil
}

// takePages returns n bytes or a little more, with any content.
func (m *memory) takePages(n int) *pages {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.spare, func(b *pages) bool { return len(b.bytes) >= n && len(b.bytes) <= n+n/8 })
	if i < 0 {
		return newPages(n)
	}
	b := m.spare[i]
	m.spare = slices.Delete(m.spare, i, i+1)
	return b
}

// givePages keeps what nobody has any more for the next of its size, as much as is kept.
func (m *memory) givePages(b *pages) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spare = append(m.spare, b)
	kept := 0
	for _, b := range m.spare {
		kept += len(b.bytes)
	}
	for ; kept > m.keep; m.spare = m.spare[1:] {
		kept -= len(m.spare[0].bytes)
		m.spare[0].free()
	}
}

// reserve returns n bytes, which live as long as the buffer. An execution that has some of
// them has the buffer, too, even if it is finalized meanwhile.
func (b *Buffer) reserve(n int) []byte {
	if n < large {
		return b.backend.memory.take(n)
	}
	made := b.backend.memory.takePages(n)
	b.pages = append(b.pages, made)
	return made.bytes[:n]
}

// giveBack gives bytes of the buffer to others: nobody may have any of them.
func (b *Buffer) giveBack(bytes []byte) {
	i := b.pageOf(bytes)
	if i < 0 {
		b.backend.memory.give(bytes)
		return
	}
	b.backend.memory.givePages(b.pages[i])
	b.pages = slices.Delete(b.pages, i, i+1)
}

// pageOf is the number of the pages in which bytes lie, or −1.
func (b *Buffer) pageOf(bytes []byte) int {
	return slices.IndexFunc(b.pages, func(p *pages) bool { return unsafe.SliceData(p.bytes) == unsafe.SliceData(bytes) })
}
