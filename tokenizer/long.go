package tokenizer

import "slices"

// chain is a long piece under merging: a doubly linked list of symbols, and for
// each merge that is possible somewhere its places, so that n symbols take n log n
// steps.
type chain struct {
	symbols    []int32
	prev, next []int32           // neighbours, -1 at the ends
	merges     []merge           // the merge of a symbol with its right neighbour
	places     map[merge][]int32 // of the left symbol; some may be out of date
	queue      heap[merge]       // the keys of places
}

func (m merge) before(n merge) bool { return m < n }

// long merges m.symbols in place.
func (m *merger) long(t *BPE) {
	n := len(m.symbols)
	c := chain{
		symbols: m.symbols,
		prev:    make([]int32, n),
		next:    make([]int32, n),
		merges:  make([]merge, n),
		places:  make(map[merge][]int32),
	}
	for i := range n {
		c.prev[i], c.next[i] = int32(i)-1, int32(i)+1
	}
	c.next[n-1] = -1
	for i := range n {
		c.look(t, int32(i))
	}
	for len(c.queue) > 0 {
		// New pairs wait until the merge was applied everywhere: in a vocabulary
		// whose merges are out of order they could come before it.
		for _, at := range c.apply(c.queue.pop()) {
			c.look(t, at)
		}
	}
	out := m.symbols[:0]
	for at := int32(0); at >= 0; at = c.next[at] {
		out = append(out, c.symbols[at])
	}
	m.symbols = out
}

// look finds the merge of the symbol at a place with its right neighbour.
func (c *chain) look(t *BPE, at int32) {
	c.merges[at] = noMerge
	if c.next[at] < 0 {
		return
	}
	x := t.mergeOf(c.symbols[at], c.symbols[c.next[at]])
	if x == noMerge {
		return
	}
	c.merges[at] = x
	places := c.places[x]
	if len(places) == 0 {
		c.queue.push(x)
	}
	c.places[x] = append(places, at)
}

// apply makes one merge at all its places, from left to right, and returns the
// places whose pairs have changed.
func (c *chain) apply(x merge) (changed []int32) {
	places := c.places[x]
	delete(c.places, x)
	slices.Sort(places)
	for _, at := range places {
		if c.merges[at] != x {
			continue
		}
		gone := c.next[at]
		c.symbols[at] = x.id()
		c.merges[at], c.merges[gone] = stale, noMerge
		c.next[at] = c.next[gone]
		if right := c.next[gone]; right >= 0 {
			c.prev[right] = at
		}
		c.next[gone] = -1
		changed = append(changed, at)
		if left := c.prev[at]; left >= 0 {
			c.merges[left] = stale
			changed = append(changed, left)
		}
	}
	return changed
}
