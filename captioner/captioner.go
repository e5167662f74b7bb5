// Package captioner turns photos into captions: one short English sentence each.
//
//	c, err := captioner.Open("models/tiny", captioner.Options{})
//	photo, err := c.Read(file)
//	caption, err := c.Caption(ctx, photo)
//
// A CLIP sees the photo, a mapper turns its embedding into a prefix, and a GPT-2
// writes the caption (ClipCap, Mokady et al. 2021). All of it runs in this process;
// nothing is downloaded.
package captioner

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/cyclegan"
	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/engine"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/modelfolder"
)

// Captioner is an open model. It is safe for concurrent use.
type Captioner struct {
	*opened
	decoding decode.Options
	guided   decode.Contrast // in the place of decoding, where the CLIP guides a language model
	zeroShot *zeroShot       // the method, where a Decoding names one
	align    modelfolder.Align
	compare  bool // captions with their photos
	rerank   bool
	keep     int // captions that are handed out, of those searched
}

// opened is what the captioners that With returns share.
type opened struct {
	folder      *modelfolder.Folder // which the memory and, until it is loaded, the text tower are read from
	engine      compute.Backend
	store       *model.Store                  // all networks but the text tower
	textStore   *model.Store                  // the text tower
	encoder     *clip.Encoder                 // of photos
	textTower   func() (*clip.Encoder, error) // loads it when it is first asked for
	generator   *clipcap.Generator            // nil for a CLIP alone
	centres     centres
	textualiser *cyclegan.Translator // nil where the model has none
	writers     writers
	limits      imageproc.Limits
	batch       int

	// Calls hold it for reading, Close for writing.
	mu     sync.RWMutex
	closed bool
}

// Open opens the model folder dir: a captioner or, for embeddings only, a CLIP.
// The model's weights are held in memory until Close, CLIP's text tower from when a text
// is first read by it. Errors are one line that names the file.
func Open(dir string, o Options) (*Captioner, error) {
	folder, err := modelfolder.Open(dir)
	if err != nil {
		return nil, err
	}
	return open(folder, o)
}

// OpenFS is Open for a model folder at the root of fsys, such as an embedded one.
func OpenFS(fsys fs.FS, o Options) (*Captioner, error) {
	folder, err := modelfolder.OpenFS(fsys, "model")
	if err != nil {
		return nil, err
	}
	return open(folder, o)
}

// open takes folder over, and closes it where it fails.
func open(folder *modelfolder.Folder, o Options) (c *Captioner, err error) {
	defer func() {
		if err != nil {
			_ = folder.Close() // the first error is the one that helps
		}
	}()
	config := folder.Config
	if config.CLIP == nil {
		return nil, fmt.Errorf("model %q is a %s alone: it sees no photos", config.Name, config.Kind())
	}
	limits, batch, err := o.resolve()
	if err != nil {
		return nil, err
	}
	shared := &opened{folder: folder, store: model.NewStore(), textStore: model.NewStore(), limits: limits, batch: batch}
	c = &Captioner{opened: shared, align: config.Align}
	if o.Decoding.Align != "" || config.CanAlign(config.Align) == nil { // else it only embeds
		if c, err = c.With(o.Decoding); err != nil {
			return nil, err
		}
	}
	if shared.engine, err = engine.Open(o.Engine); err != nil {
		return nil, err
	}
	if err = shared.load(); err != nil {
		shared.engine.Finalize()
		return nil, err
	}
	return c, nil
}

// load reads the weights and prepares the networks.
func (o *opened) load() error {
	config := o.folder.Config
	later, err := o.folder.LoadInParts(o.engine, o.store, o.textStore)
	if err != nil {
		return err
	}
	o.textTower = sync.OnceValues(func() (*clip.Encoder, error) {
		if err := later(); err != nil {
			return nil, err
		}
		return clip.NewEncoder(o.engine, o.textStore, *config.CLIP)
	})
	if o.encoder, err = clip.NewEncoder(o.engine, o.store, *config.CLIP); err != nil {
		return err
	}
	switch {
	case config.Captioner != nil:
		o.generator, err = clipcap.NewGenerator(o.engine, o.store, *config.Captioner)
	case config.MAGIC != nil:
		o.generator, err = clipcap.NewTextGenerator(o.engine, o.store, *config.LanguageModel)
	}
	if err == nil && config.Textualiser != nil {
		o.textualiser, err = cyclegan.NewTranslator(o.engine, o.store, *config.Textualiser)
	}
	if err != nil {
		return err
	}
	return o.loadCentres()
}

// With returns a captioner that decodes as d says. It shares the model of c, costs
// nothing, and needs no Close of its own. An error tells which field of d cannot
// be.
func (c *Captioner) With(d Decoding) (*Captioner, error) {
	config := c.folder.Config
	other := &Captioner{opened: c.opened, compare: d.Similarity, keep: max(d.NBest, 1)}
	if config.Kind() != modelfolder.Captioner {
		return other, nil
	}
	if d.Method != "" {
		var err error
		other.align, other.compare, other.rerank = modelfolder.AlignNone, true, true
		other.zeroShot, other.decoding, err = d.zeroShot(c.folder.Model)
		return other, err
	}
	other.align = cmp.Or(modelfolder.Align(d.Align), config.Align, modelfolder.AlignNone)
	err := config.CanAlign(other.align)
	switch {
	case err != nil:
	case config.MAGIC != nil:
		other.guided, err = d.contrast(config)
	default:
		d = d.orModel(config)
		other.compare, other.rerank = d.Similarity || d.Rerank, d.Rerank
		other.decoding, err = d.resolve(config)
	}
	return other, err
}

// Info describes an open model.
type Info struct {
	Name           string `json:"name"`
	Captions       bool   `json:"captions"`        // false for a CLIP alone
	CLIP           string `json:"clip"`            // as its makers call it, such as "ViT-B/32"
	ImageSize      int    `json:"image_size"`      // what the CLIP sees, in pixels a side
	EmbeddingWidth int    `json:"embedding_width"` // of EmbedImage and EmbedText
	Normalizes     bool   `json:"normalizes"`      // the mapper reads embeddings divided by their lengths
	Parameters     int    `json:"parameters"`      // numbers in all networks
	Engine         string `json:"engine"`          // what they run on
}

// Info returns what c is.
func (c *Captioner) Info() Info {
	config := c.folder.Config
	info := Info{
		Name: config.Name, Captions: config.Kind() == modelfolder.Captioner,
		CLIP: config.CLIPName, ImageSize: config.Image.Size, EmbeddingWidth: config.CLIP.EmbedDim,
	}
	if config.Captioner != nil {
		info.Normalizes = config.Captioner.Normalize
	}
	if release, err := c.hold(); err == nil {
		defer release()
		info.Parameters, info.Engine = c.store.NumParameters()+c.textStore.NumParameters(), c.engine.Description()
	}
	return info
}

var errClosed = errors.New("the captioner is closed")

// hold keeps the model open until release is called.
func (o *opened) hold() (release func(), err error) {
	o.mu.RLock()
	if o.closed {
		o.mu.RUnlock()
		return nil, errClosed
	}
	return o.mu.RUnlock, nil
}

// Close waits for the calls in progress and releases the model. Later calls return
// an error; a second Close does nothing.
func (c *Captioner) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	c.store.Finalize()
	c.textStore.Finalize()
	c.engine.Finalize()
	return c.folder.Close()
}
