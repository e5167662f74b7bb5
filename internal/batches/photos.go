// Package batches turns records into the batches that methods learn from. A batch
// is a function of the data, the seed and the number of its update alone.
package batches

import (
	"fmt"
	"math/rand/v2"
	"slices"

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
	Context    int            // tokens of a caption, with start and end
	Captions   *tokenizer.BPE // the language model's; nil for batches without captions to say
	Preprocess imageproc.Config
	Augment    Augment
	Words      bool    // give the words of all captions of a photo
	Mix        float64 // largest share of a photo that another takes, drawn for each batch
	Size       int     // B
	Seed       uint64

	order   *dataset.Order
	window  window[shot]
	decoded map[string]*imageproc.RGB
	bytes   int
}

// shot is one item of a batch: a record and one of its captions.
type shot struct {
	position int // in the order, of which its augmentation is a function
	record   dataset.Record
	caption  string
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
	rng := rand.New(rand.NewPCG(p.Seed+4, uint64(update)))
	b := method.Photos{Mix: float32(p.Mix * rng.Float64())}
	for _, s := range p.window.batch(update, p.Size, p.Seed, p.shot, func(s shot) int { return len(s.caption) }) {
		if err := p.add(&b, s); err != nil {
			return method.Photos{}, err
		}
	}
	return b, nil
}

// shot returns the record at a position of the order, and a caption.
func (p *Photos) shot(position int) shot {
	item, _ := p.order.Item(position)
	record := p.Records[item]
	rng := rand.New(rand.NewPCG(p.Seed+1, uint64(position)))
	return shot{position, record, record.Captions[rng.IntN(len(record.Captions))]}
}

// add prepares one item of a batch.
func (p *Photos) add(b *method.Photos, s shot) error {
	photo, err := p.photo(s.record.Image)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(p.Seed+3, uint64(s.position)))
	photo = p.Augment.Apply(photo, p.Preprocess.Size, rng)
	ids, err := p.Tokenizer.Context(s.caption, p.Context, true)
	if err != nil {
		return fmt.Errorf("caption of %s: %w", s.record.Image, err)
	}
	b.Pixels = append(b.Pixels, p.Preprocess.Tensor(photo))
	b.Texts = append(b.Texts, ids)
	if p.Captions != nil {
		b.Captions = append(b.Captions, p.Captions.Encode(dataset.Sentence(s.caption)))
	}
	if p.Words {
		b.Words = append(b.Words, Words(p.Tokenizer, s.record.Captions))
	}
	return nil
}

// Words returns the tokens of captions, each as often as it has captions.
func Words(t *tokenizer.BPE, captions []string) []int32 {
	var words []int32
	for _, caption := range captions {
		ids := t.Encode(caption)
		slices.Sort(ids)
		for _, id := range slices.Compact(ids) {
			words = append(words, int32(id))
		}
	}
	return words
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
