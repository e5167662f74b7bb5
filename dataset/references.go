package dataset

import (
	"cmp"
	"hash/maphash"
	"iter"
	"slices"
	"strings"
)

// References are what people said of images, to pair results with. Their texts are in
// a temporary file beyond 4 MiB; memory holds some 40 bytes of each image.
type References struct {
	Duplicate Names // the image came again; its captions are joined
	Empty     Names // the image has no captions, or some are white space; those are left out

	images *gathering
	silent []bool // of each image whether it has no captions
}

// Names are names of images that something is to be said of: how many there are, and
// the first hundred of them.
type Names struct {
	Count int
	First []string
}

// Add counts one more.
func (n *Names) Add(name string) {
	const kept = 100
	if n.Count++; n.Count <= kept {
		n.First = append(n.First, name)
	}
}

// NewReferences reads references, which are to be closed.
func NewReferences(records iter.Seq2[Record, error]) (*References, error) {
	r := &References{images: newGathering()}
	for record, err := range records {
		if err == nil {
			err = r.add(record)
		}
		if err != nil {
			return nil, cmp.Or(err, r.Close())
		}
	}
	r.images.known = nil // names are looked up by other rules from here on
	return r, nil
}

// Len returns the number of images.
func (r *References) Len() int { return r.images.len() }

// Close frees the disk.
func (r *References) Close() error { return r.images.close() }

// add joins the records of each image and leaves out empty captions.
func (r *References) add(record Record) error {
	captions := nonempty(record.Captions)
	if len(captions) < max(1, len(record.Captions)) {
		r.Empty.Add(record.Image)
	}
	record.Captions = captions
	if i, again := r.images.find(record.Image); again {
		r.Duplicate.Add(record.Image)
		r.silent[i] = r.silent[i] && len(captions) == 0
		return r.images.extend(i, Record{Captions: captions})
	}
	r.silent = append(r.silent, len(captions) == 0)
	return r.images.begin(record.Image, record)
}

// nonempty returns a new list of the captions that are more than white space.
func nonempty(captions []string) []string {
	var kept []string
	for _, c := range captions {
		if strings.TrimSpace(c) != "" {
			kept = append(kept, c)
		}
	}
	return kept
}

// key is an image by what a rule makes of one of its names.
type key struct {
	hash  uint64
	image int32
}

func compareKeys(a, b key) int {
	return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.image, b.image))
}

// Images found by a name, where that is not one.
const (
	unknown   = -1 // no image has it
	ambiguous = -2 // several have it
)

// match returns the image of each result under the strictest rule by which any result
// has one.
func (r *References) match(results *shelf) (matches []int32, by string, err error) {
	matches = make([]int32, results.len())
	for _, rule := range rules() {
		keys, err := r.keys(rule.key)
		if err != nil {
			return nil, "", err
		}
		any := false
		err = results.each(func(i int, result Record) error {
			matches[i] = r.lookUp(keys, rule.key(result.Image))
			any = any || matches[i] >= 0
			return nil
		})
		if any || err != nil {
			return matches, rule.name, err
		}
	}
	return matches, "", nil
}

// keys returns all images under a rule, both by their names and by their IDs, sorted.
func (r *References) keys(of func(name string) string) ([]key, error) {
	var keys []key
	err := r.images.each(func(i int, image Record) error {
		for _, name := range []string{image.Image, image.ID} {
			if k := of(name); name != "" && k != "" {
				keys = append(keys, key{r.hash(k), int32(i)})
			}
		}
		return nil
	})
	slices.SortFunc(keys, compareKeys)
	return slices.Compact(keys), err
}

func (r *References) lookUp(keys []key, name string) int32 {
	if name == "" {
		return unknown
	}
	hash := r.hash(name)
	i, _ := slices.BinarySearchFunc(keys, key{hash: hash}, compareKeys)
	switch {
	case i == len(keys) || keys[i].hash != hash:
		return unknown
	case i+1 < len(keys) && keys[i+1].hash == hash:
		return ambiguous
	}
	return keys[i].image
}

func (r *References) hash(name string) uint64 { return maphash.String(r.images.seed, name) }
