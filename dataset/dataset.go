// Package dataset reads photographs with captions, and captions alone, from the
// files that people have, one record at a time.
package dataset

import (
	"fmt"
	"math/rand/v2"
)

// Record is a photo and what people said of it.
type Record struct {
	Image    string   `json:"image"` // the photo's name among its [Photos]
	Captions []string `json:"captions"`
	Split    string   `json:"split"`  // train, val, test or restval
	Domain   string   `json:"domain"` // nocaps: in-domain, near-domain or out-domain

	// ID is what the data set calls the photo where that is not its name: COCO's
	// and nocaps' number, Conceptual Captions' address.
	ID string `json:"-"`
}

// maxLine bounds a line of any text file, in bytes.
const maxLine = 1 << 20

// Order visits the items 0..n−1 of a data set once an epoch, each epoch in an order
// of its own. It is a function of seed and position alone, so that a run can be
// resumed anywhere.
type Order struct {
	n     int
	seed  uint64
	epoch int
	items []int
}

// NewOrder returns the order of n items; n must be positive.
func NewOrder(n int, seed uint64) *Order {
	if n <= 0 {
		panic(fmt.Sprintf("dataset: an order of %d items", n))
	}
	return &Order{n: n, seed: seed, epoch: -1}
}

// Item returns the item at a position counted over all epochs, and its epoch.
func (o *Order) Item(position int) (item, epoch int) {
	epoch = position / o.n
	if epoch != o.epoch {
		rng := rand.New(rand.NewPCG(o.seed, uint64(epoch)))
		o.items, o.epoch = rng.Perm(o.n), epoch
	}
	return o.items[position%o.n], epoch
}
