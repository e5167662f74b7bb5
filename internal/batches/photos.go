// Package batches turns records into the batches that methods learn from. A batch
// is a function of the data, the seed and the number of its update alone.
package batches

import (
	"fmt"
	"math/rand/v2"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/tokenizer"
)

// Photos makes batches of photos with one caption each. It is for one goroutine.
type Photos struct {
	Records    []dataset.Record
	Source     dataset.Photos
	Tokenizer  *tokenizer.BPE
	Context    int // tokens of a caption, with start and end
	Preprocess imageproc.Config
	Augment    Augment
	Size       int // B
	Seed       uint64

	order   *dataset.Order
	decoded map[string]*imageproc.RGB
	bytes   int
}

// cacheBytes bounds the decoded photos that are kept: enough for some ten thousand
// thumbnails, and nothing that a machine that trains would miss.
const cacheBytes = 1 << 30

// Batch returns the batch of an update.
func (p *Photos) Batch(update int) (method.Photos, error) {
	if p.order == nil {
		if err := p.Augment.Validate(); err != nil {
			return method.Photos{}, err
		}
		p.order = dataset.NewOrder(len(p.Records), p.Seed)
		p.decoded = make(map[string]*imageproc.RGB)
	}
	var b method.Photos
	for i := range p.Size {
		position := update*p.Size + i
		item, _ := p.order.Item(position)
		record := p.Records[item]
		rng := rand.New(rand.NewPCG(p.Seed+1, uint64(position)))
		photo, err := p.photo(record.Image)
		if err != nil {
			return b, err
		}
		photo = p.Augment.Apply(photo, p.Preprocess.Size, rng)
		caption := record.Captions[rng.IntN(len(record.Captions))]
		ids, err := p.Tokenizer.Context(caption, p.Context, true)
		if err != nil {
			return b, fmt.Errorf("caption of %s: %w", record.Image, err)
		}
		b.Pixels = append(b.Pixels, p.Preprocess.Tensor(photo))
		b.Captions = append(b.Captions, ids)
	}
	return b, nil
}

func (p *Photos) photo(name string) (*imageproc.RGB, error) {
	if photo, ok := p.decoded[name]; ok {
		return photo, nil
	}
	photo, err := Decode(p.Source, name)
	if err != nil {
		return nil, err
	}
	if p.bytes+len(photo.Pix) <= cacheBytes {
		p.decoded[name], p.bytes = photo, p.bytes+len(photo.Pix)
	}
	return photo, nil
}

// Decode reads one photo of a data set.
func Decode(source dataset.Photos, name string) (*imageproc.RGB, error) {
	file, err := source.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	photo, err := imageproc.Decode(file, imageproc.DefaultLimits())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return photo, nil
}
