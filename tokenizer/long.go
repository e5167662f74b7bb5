package tokenizer

// chain is a long piece under merging: a doubly linked list of symbols with a
// heap of the pairs that can merge, so that n symbols take n log n steps.
type chain struct {
	symbols    []int32
	prev, next []int32 // neighbours, -1 at the ends
	merges     []merge // the merge of a symbol with its right neighbour
	queue      heap[place]
}

// place is a pair in the queue: what it merges into, and its left symbol. It is
// out of date once the chain has another merge there.
type place struct {
	merge merge
	at    int32
}

// before puts earlier merges first, and of one merge the leftmost place.
func (p place) before(q place) bool {
	return p.merge < q.merge || p.merge == q.merge && p.at < q.at
}

// long merges m.symbols in place.
func (m *merger) long(t *BPE) {
	n := len(m.symbols)
	c := chain{
		symbols: m.symbols,
		prev:    make([]int32, n),
		next:    make([]int32, n),
		merges:  make([]merge, n),
	}
	for i := range n {
		c.prev[i], c.next[i] = int32(i)-1, int32(i)+1
	}
	c.next[n-1] = -1
	for i := range n {
		c.look(t, int32(i))
	}
	var changed []int32
	for {
		first, ok := c.queue.peek()
		if !ok {
			break
		}
		// New pairs wait until the merge was applied everywhere: in a vocabulary
		// whose merges are out of order they could come before it.
		changed = c.apply(first.merge, changed[:0])
		for _, at := range changed {
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
	if c.merges[at] = noMerge; c.next[at] < 0 {
		return
	}
	if x := t.mergeOf(c.symbols[at], c.symbols[c.next[at]]); x != noMerge {
		c.merges[at] = x
		c.queue.push(place{x, at})
	}
}

// apply makes one merge at all its places, from left to right, and appends the
// places whose pairs have changed.
func (c *chain) apply(x merge, changed []int32) []int32 {
	for {
		first, ok := c.queue.peek()
		if !ok || first.merge != x {
			return changed
		}
		c.queue.pop()
		at := first.at
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
}
