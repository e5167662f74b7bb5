package captioner

import (
	"cmp"
	"fmt"

	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/modelfolder"
)

// Options says how to open a model. The zero value decodes greedily on the
// pure-Go engine.
type Options struct {
	Engine   string   // "" or "cutline": pure Go with assembly kernels; "go": GoMLX's; "onnx:PATH" and "xla:PATH", in builds that hold them: ONNX Runtime's library, a PJRT plugin of XLA
	Decoding Decoding // of Caption and Captions; With changes it later
	Limits   Limits   // of photos
	Batch    int      // photos that Captions runs at once; 0 stands for 8
}

// Decoding says how a caption is searched for. The zero value searches as the
// model's folder says, which for most is greedily: the most probable token at each
// step. Lengths are in tokens, about 1.2 a word, the full stop included.
type Decoding struct {
	Beams         int     `json:"beams,omitempty"`           // beam search (ClipCap: 5); 0 stands for NBest or, where nothing is asked for, what the model says; 1 is greedy
	Temperature   float64 `json:"temperature,omitempty"`     // above 0 samples instead; 0 stands for 1 where TopK or TopP is set
	TopK          int     `json:"top_k,omitempty"`           // samples among so many tokens; 0 means all
	TopP          float64 `json:"top_p,omitempty"`           // samples among the fewest tokens of this probability; 0 and 1 mean all
	Seed          uint64  `json:"seed,omitempty"`            // of sampling: the same photo and seed give the same caption
	MinLength     int     `json:"min_length,omitempty"`      // no full stop before it
	MaxLength     int     `json:"max_length,omitempty"`      // 0 stands for the model's own (ClipCap: 67)
	NoRepeatNgram int     `json:"no_repeat_ngram,omitempty"` // no run of so many tokens occurs twice; 0 is off
	NBest         int     `json:"n_best,omitempty"`          // captions per photo, beams or samples; 0 stands for 1
	Rerank        bool    `json:"rerank,omitempty"`          // order them by Similarity instead of probability
	Similarity    bool    `json:"similarity,omitempty"`      // fill in Similarity, for which CLIP reads each caption; Rerank does so as well

	// Align is what is done to the photo's embedding before a captioner that learned
	// from texts reads it: "none", "mean" (moved by the difference of the centres of
	// photos and texts), "memory" (DeCap's projection), "nearest" (the memory's nearest
	// embedding), "caption" (the memory's nearest text, as it is) or "textualise" (the
	// latent CycleGAN's translation); "" is as the model says.
	Align string `json:"align,omitempty"`

	// Method is another way of captioning than the model's own: "zerocap" lets its
	// language model go on with Prompt, "Image of a" unless given, towards what its CLIP
	// finds like the photo (Tewel et al. 2022), which takes minutes where a mapper takes a
	// moment; "zerocap-sum" is that with the settings for sums of photos. It searches with
	// Beams, 5 unless given, up to MaxLength, 15, and takes no other field but NBest.
	Method string `json:"method,omitempty"`
	Prompt string `json:"prompt,omitempty"`
}

// Limits bounds what a photo may cost, judged before its pixels are decoded. A
// field that is 0 stands for its default.
type Limits struct {
	MaxBytes  int64 // of a file; 20 MB
	MaxPixels int64 // width × height; 50 million
	MaxSide   int   // the larger of width and height, in pixels; 16384
}

const defaultBatch = 8

// resolve fills in what zero values stand for.
func (o Options) resolve() (imageproc.Limits, int, error) {
	if o.Batch < 0 || o.Limits.MaxBytes < 0 || o.Limits.MaxPixels < 0 || o.Limits.MaxSide < 0 {
		return imageproc.Limits{}, 0, fmt.Errorf("options: batch %d and limits %+v must not be negative", o.Batch, o.Limits)
	}
	limits := imageproc.DefaultLimits()
	return imageproc.Limits{
		MaxBytes:  cmp.Or(o.Limits.MaxBytes, limits.MaxBytes),
		MaxPixels: cmp.Or(o.Limits.MaxPixels, limits.MaxPixels),
		MaxSide:   cmp.Or(o.Limits.MaxSide, limits.MaxSide),
	}, cmp.Or(o.Batch, defaultBatch), nil
}

// orModel searches as the model's folder says where d asks for no search of its own.
func (d Decoding) orModel(c modelfolder.Config) Decoding {
	lengths := Decoding{MinLength: d.MinLength, MaxLength: d.MaxLength, NoRepeatNgram: d.NoRepeatNgram, Seed: d.Seed, Similarity: d.Similarity, Align: d.Align}
	if d != lengths || c.Beams == 0 {
		return d
	}
	d.Beams, d.Rerank = c.Beams, c.Rerank
	if d.Rerank {
		d.NBest = d.Beams
	}
	return d
}

// resolve fills in what zero values stand for in a captioner of the given
// configuration.
func (d Decoding) resolve(c modelfolder.Config) (decode.Options, error) {
	o := decode.Options{
		Strategy: decode.Greedy, StopTokens: c.StopTokens,
		MinLength: d.MinLength, MaxLength: cmp.Or(d.MaxLength, c.MaxTokens),
		NoRepeatNgram: d.NoRepeatNgram, NBest: cmp.Or(d.NBest, 1),
	}
	sample := d.Temperature != 0 || d.TopK != 0 || d.TopP != 0
	switch {
	case d.Beams < 0:
		return o, fmt.Errorf("decoding: beams is %d, want 0 or more", d.Beams)
	case sample && d.Beams > 0:
		return o, fmt.Errorf("decoding: %d beams are searched, not sampled; leave out beams, or temperature, top_k and top_p", d.Beams)
	case sample:
		o.Strategy, o.Temperature = decode.Sample, cmp.Or(d.Temperature, 1)
		o.TopK, o.TopP, o.Seed = d.TopK, cmp.Or(d.TopP, 1), d.Seed
	case d.Beams > 1 || o.NBest > 1:
		o.Strategy, o.Beams = decode.Beam, cmp.Or(d.Beams, o.NBest)
	}
	room := c.Captioner.GPT.Positions - c.Captioner.Begin()
	if o.MaxLength > room {
		return o, fmt.Errorf("decoding: max_length is %d, but model %q has room for %d tokens", o.MaxLength, c.Name, room)
	}
	return o, o.Validate()
}
