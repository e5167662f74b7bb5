package engine

import (
	"os"
	"runtime"
	"slices"
	"unsafe"
)

// pages are memory for weights, outside of Go's heap where the system has a call for that: of
// garbage, Go lets pile up as much as what is on the heap and in use. They go back to the
// system when nothing refers to them.
type pages struct {
	bytes   []byte
	of      *region // nil where they lie in Go's heap
	cleanup runtime.Cleanup
}

// region is a range of addresses that pages are cut from, one behind another, so that the end
// of one weight and the beginning of the next share one of the system's large pages. It goes
// back when nothing refers to it, and has memory where pages of it do.
type region struct{ bytes []byte }

// piece is what pages have of a region.
type piece struct {
	of    *region
	bytes []byte
}

func (p piece) discard() { discardMemory(p.bytes) }

// large is how many bytes are worth pages of their own, regionBytes how many a region has.
const (
	large       = 1 << 20
	regionBytes = 64 << 20
)

// newPages cuts pages off the region, or another where it is used up.
func (m *memory) newPages(n int) *pages {
	page := os.Getpagesize()
	size := (n + page - 1) / page * page
	if size > len(m.rest) {
		const whole = 2 << 20
		bytes, err := mapMemory(max(regionBytes, (size+whole-1)/whole*whole))
		if err != nil {
			return &pages{bytes: alignedBytes(n)}
		}
		m.region, m.rest = &region{bytes}, bytes
		runtime.AddCleanup(m.region, unmapMemory, bytes)
	}
	b := &pages{bytes: m.rest[:n:size], of: m.region}
	m.rest = m.rest[size:]
	b.cleanup = runtime.AddCleanup(b, piece.discard, piece{m.region, b.bytes[:size]})
	return b
}

// free gives the memory back at once: nobody may have any of it.
func (b *pages) free() {
	if b.of != nil {
		b.cleanup.Stop()
		discardMemory(b.bytes[:cap(b.bytes)])
	}
	b.bytes = nil
}

// takePages returns n bytes or a little more, with any content.
func (m *memory) takePages(n int) *pages {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.spare, func(b *pages) bool { return len(b.bytes) >= n && len(b.bytes) <= n+n/8 })
	if i < 0 {
		return m.newPages(n)
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
