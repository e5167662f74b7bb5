package metrics

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel calls f on all processors with blocks [begin, end) that make
// up [0, n), so that f may keep its scratch memory for a block.
func parallel(n int, f func(begin, end int)) {
	const block = 64
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (n+block-1)/block) {
		group.Go(func() {
			for {
				end := int(next.Add(block))
				if end-block >= n {
					return
				}
				f(end-block, min(end, n))
			}
		})
	}
	group.Wait()
}
