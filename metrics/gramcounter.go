package metrics

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"

	"github.com/cutline-go/cutline/internal/spill"
)

// maxGrams is how many different n-grams a gramCounter holds in memory, in about
// 40 bytes each: those of some 5,000 photos with their references.
const maxGrams = 1 << 19

// gramCounter counts n-grams in fixed memory. Where there are more different ones
// than limit, it writes the counts of the rarest half to a file, sorted, and counts these
// anew; such runs are added up in the end.
type gramCounter struct {
	limit  int
	counts map[gram]int
	file   spill.File
	runs   []int64 // where in the file each run ends
}

func newGramCounter(limit int) *gramCounter {
	return &gramCounter{limit: limit, counts: map[gram]int{}}
}

func (c *gramCounter) add(grams []gram) error {
	for _, g := range grams {
		c.counts[g]++
		if len(c.counts) > c.limit {
			if err := c.endRun(c.rare()); err != nil {
				return err
			}
		}
	}
	return nil
}

// endRun writes the counts of n-grams that were added fewer times than that.
func (c *gramCounter) endRun(fewer int) error {
	out := bufio.NewWriter(&c.file)
	for _, g := range sortedCounts(c.counts, fewer) {
		if err := writeCount(out, g); err != nil {
			return err
		}
		delete(c.counts, g.gram)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	c.runs = append(c.runs, c.file.Size())
	return nil
}

// rare returns a number of times than which half of the n-grams, or more, were added
// fewer times.
func (c *gramCounter) rare() int {
	for fewer := 2; ; fewer *= 2 {
		frequent := 0
		for _, n := range c.counts {
			if n >= fewer {
				frequent++
			}
		}
		if frequent <= len(c.counts)/2 {
			return fewer
		}
	}
}

// sorted calls use with all n-grams and how often each was added, in ascending order
// and in portions that fit in memory. Nothing can be added afterwards.
func (c *gramCounter) sorted(use func([]gramCount) error) error {
	if len(c.runs) == 0 {
		return use(sortedCounts(c.counts, math.MaxInt))
	}
	if err := c.endRun(math.MaxInt); err != nil {
		return err
	}
	readers := make([]*countReader, len(c.runs))
	begin := int64(0)
	for i, end := range c.runs {
		readers[i] = newCountReader(io.NewSectionReader(&c.file, begin, end-begin))
		begin = end
	}
	// Hashes are spread evenly, so as many equal ranges of them as there were runs
	// hold about as many different ones each as a run, or fewer.
	width := math.MaxUint64/gram(len(c.runs)) + 1
	for i := range c.runs {
		last := gram(math.MaxUint64)
		if i < len(c.runs)-1 {
			last = width*gram(i+1) - 1
		}
		for _, r := range readers {
			err := r.through(last, func(g gramCount) { c.counts[g.gram] += g.count })
			if err != nil {
				return err
			}
		}
		if err := use(sortedCounts(c.counts, math.MaxInt)); err != nil {
			return err
		}
		clear(c.counts)
	}
	c.counts = nil
	return nil
}

func (c *gramCounter) close() error { return c.file.Close() }

// sortedCounts returns the n-grams with counts below a number.
func sortedCounts(counts map[gram]int, fewer int) []gramCount {
	var sorted []gramCount
	for g, n := range counts {
		if n < fewer {
			sorted = append(sorted, gramCount{g, n})
		}
	}
	slices.SortFunc(sorted, func(a, b gramCount) int { return cmp.Compare(a.gram, b.gram) })
	return sorted
}

// countSize is the size of a gramCount in a file.
const countSize = 12

func writeCount(w io.Writer, g gramCount) error {
	var b [countSize]byte
	binary.LittleEndian.PutUint64(b[:], uint64(g.gram))
	binary.LittleEndian.PutUint32(b[8:], uint32(min(g.count, math.MaxUint32)))
	_, err := w.Write(b[:])
	return err
}

// countReader reads counts in ascending order.
type countReader struct {
	in   *bufio.Reader
	next gramCount
	err  error // of reading next; io.EOF where there is none
}

func newCountReader(r io.Reader) *countReader {
	c := &countReader{in: bufio.NewReaderSize(r, 1<<12)}
	c.step()
	return c
}

func (c *countReader) step() {
	b, err := c.in.Peek(countSize)
	if c.err = err; err != nil {
		return
	}
	c.next = gramCount{gram(binary.LittleEndian.Uint64(b)), int(binary.LittleEndian.Uint32(b[8:]))}
	_, _ = c.in.Discard(countSize) // they are buffered
}

// through calls use with the counts up to that of the last n-gram.
func (c *countReader) through(last gram, use func(gramCount)) error {
	for c.err == nil && c.next.gram <= last {
		use(c.next)
		c.step()
	}
	if errors.Is(c.err, io.EOF) {
		return nil
	}
	return c.err
}
