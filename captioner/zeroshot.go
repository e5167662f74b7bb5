package captioner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/zerocap"
	"github.com/cutline-go/cutline/tokenizer"
)

// The methods that a Decoding names.
const (
	methodZeroCap    = "zerocap"
	methodZeroCapSum = "zerocap-sum"
)

// ZeroCap's defaults, beside those of [zerocap.Paper].
const (
	zeroShotPrompt = "Image of a"
	zeroShotLength = 15
	zeroShotBeams  = 5
)

// zeroShot is how a language model writes with gradients of CLIP's opinion. A nil one
// is not at all.
type zeroShot struct {
	config zerocap.Config
	prompt []int
}

// zeroShot fills in what zero values stand for.
func (d Decoding) zeroShot(m modelfolder.Model) (*zeroShot, decode.Options, error) {
	z := &zeroShot{config: zerocap.Paper()}
	if d.Method == methodZeroCapSum {
		z.config = zerocap.PaperArithmetic()
	}
	o := decode.Options{
		Strategy: decode.Beam, Beams: cmp.Or(d.Beams, zeroShotBeams), MaxLength: cmp.Or(d.MaxLength, zeroShotLength), StopTokens: m.Config.StopTokens,
	}
	o.NBest = o.Beams
	bpe, gpt := m.GPTTokenizer, m.Config.GPT()
	if len(o.StopTokens) == 0 {
		if stop, ok := bpe.ID("."); ok {
			o.StopTokens = []int{stop}
		}
	}
	begin, ok := bpe.ID("<|endoftext|>")
	z.prompt = append([]int{begin}, bpe.Encode(cmp.Or(d.Prompt, zeroShotPrompt))...)
	switch {
	case d.Method != methodZeroCap && d.Method != methodZeroCapSum:
		return nil, o, fmt.Errorf("decoding: method is %q, want %q or %q", d.Method, methodZeroCap, methodZeroCapSum)
	case d != (Decoding{Method: d.Method, Prompt: d.Prompt, Beams: d.Beams, MaxLength: d.MaxLength, NBest: d.NBest, Rerank: d.Rerank, Similarity: d.Similarity}):
		return nil, o, fmt.Errorf("decoding: %s takes a prompt, beams, max_length and n_best, and nothing else", d.Method)
	case d.NBest > o.Beams:
		return nil, o, fmt.Errorf("decoding: n_best is %d, want at most beams, which is %d", d.NBest, o.Beams)
	case bpe.Style() != tokenizer.GPT2 || !ok:
		return nil, o, errors.New("decoding: zerocap takes a language model with the tokens of GPT-2")
	case len(z.prompt)+o.MaxLength-1 > gpt.Positions:
		return nil, o, fmt.Errorf("decoding: a prompt of %d and %d tokens, but model %q has room for %d", len(z.prompt), o.MaxLength, m.Config.Name, gpt.Positions)
	}
	return z, o, o.Validate()
}

// writers are the graphs of zero-shot searches, by what they compute.
type writers struct {
	mu   sync.Mutex
	made map[zerocap.Config]*zerocap.Writer
}

func (o *opened) writer(c zerocap.Config) (*zerocap.Writer, error) {
	o.writers.mu.Lock()
	defer o.writers.mu.Unlock()
	if w := o.writers.made[c]; w != nil {
		return w, nil
	}
	w, err := zerocap.NewWriter(o.engine, o.store, *o.folder.Config.GPT(), c)
	if err != nil {
		return nil, err
	}
	if o.writers.made == nil {
		o.writers.made = make(map[zerocap.Config]*zerocap.Writer)
	}
	o.writers.made[c] = w
	return w, nil
}

// searchZeroShot lets the language model write, its keys and values shifted towards what
// the CLIP finds like the photos.
func (c *Captioner) searchZeroShot(ctx context.Context, embeddings [][]float32) ([][]decode.Hypothesis, error) {
	if len(embeddings) == 0 {
		return nil, nil
	}
	writer, err := c.writer(c.zeroShot.config)
	if err != nil {
		return nil, err
	}
	session, err := writer.Start(len(embeddings), c.zeroShot.prompt, c.decoding.StopTokens, c.decoding.MaxLength, c.guide(embeddings, 1))
	if err != nil {
		return nil, err
	}
	return decode.Search(ctx, session, c.decoding)
}
