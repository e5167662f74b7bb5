package recipe

import (
	"context"
	"errors"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/metrics"
	"github.com/cutline-go/cutline/tokenizer"
)

// pairsJudge judges a captioner by photos with captions: the loss of one caption of
// each, and the captions that it writes.
type pairsJudge struct {
	captions captionJudge
	batches  []method.Pairs
	loss     func(method.Pairs) (train.Losses, error)
	labelled bool // the photos have captions
}

// newPairsJudge embeds the photos of v, whose captions encode makes into tokens. It
// judges a network once it watches one; where v judges nothing, it is not asked to.
func newPairsJudge(ctx context.Context, e *embedder, v Val, t *tokenizer.BPE, encode func(string) []int, size int) (*pairsJudge, error) {
	records, photos, closePhotos, err := v.open()
	if err != nil || records == nil {
		return &pairsJudge{}, err
	}
	embeddings, err := e.photos(ctx, v.Data, records, photos, plainView())
	if err := errors.Join(err, closePhotos()); err != nil {
		return nil, err
	}
	j := &pairsJudge{labelled: true}
	j.of(captionJudge{tokenizer: t, samples: v.Samples, records: records, embeddings: embeddings}, encode, size)
	return j, nil
}

// of judges by these records, in batches of a size.
func (j *pairsJudge) of(captions captionJudge, encode func(string) []int, size int) {
	j.captions = captions
	for i, r := range captions.records {
		if i%size == 0 {
			j.batches = append(j.batches, method.Pairs{})
		}
		b := &j.batches[len(j.batches)-1]
		b.Embeddings = append(b.Embeddings, captions.embeddings.Row(i))
		b.Captions = append(b.Captions, encode(r.Captions[i%len(r.Captions)]))
	}
}

// watch judges the captioner in store by loss, and by what it writes by search.
func (j *pairsJudge) watch(engine compute.Backend, store *model.Store, network clipcap.Config, loss func(method.Pairs) (train.Losses, error), search decode.Options) (err error) {
	j.loss, j.captions.search = loss, search
	j.captions.generator, err = clipcap.NewGenerator(engine, store, network)
	return err
}

func (j *pairsJudge) close() {
	if j.captions.embeddings != nil {
		_ = j.captions.embeddings.Close() // it was read; a mapping that stays harms nobody
	}
}

func (j *pairsJudge) evaluate(ctx context.Context) (train.Evaluation, error) {
	scores, err := meanLoss(ctx, j.loss, j.batches, func(b method.Pairs) int { return len(b.Captions) })
	if err != nil {
		return train.Evaluation{}, err
	}
	more, samples, err := j.captions.scores(ctx)
	return train.Evaluation{Scores: append(scores, more...), Samples: samples}, err
}

// clipJudge judges a CLIP by photos with one caption each: the loss, and how often the
// caption finds its photo among all of them.
type clipJudge struct {
	learner    *method.CLIP
	encoder    *clip.Encoder
	preprocess imageproc.Config
	context    int
	tokenizer  *tokenizer.BPE
	records    []dataset.Record
	photos     dataset.Photos
	close      func() error
	size       int
	words      bool
	captions   *captionJudge // of the captioner that learns along; nil without one
}

func newCLIPJudge(engine compute.Backend, store *model.Store, learner *method.CLIP, c CLIP, bpe *tokenizer.BPE, along *captioner) (*clipJudge, error) {
	j := &clipJudge{
		learner: learner, preprocess: imageproc.CLIP(c.Network.Vision.ImageSize),
		context: c.Network.Text.ContextLength, tokenizer: bpe, size: c.Batch, words: c.Words > 0,
	}
	var err error
	if j.encoder, err = clip.NewEncoder(engine, store, c.Network); err != nil {
		return nil, err
	}
	if j.records, j.photos, j.close, err = c.Val.open(); err != nil || along == nil {
		return j, err
	}
	j.captions = &captionJudge{
		tokenizer: along.gpt.GPTTokenizer, records: j.records, samples: c.Val.Samples,
		search: greedy(along.gpt.Config.StopTokens, maxTokens(along.gpt, along.network)),
	}
	j.captions.generator, err = clipcap.NewGenerator(engine, store, along.network)
	return j, err
}

func (j *clipJudge) evaluate(ctx context.Context) (train.Evaluation, error) {
	var images, texts [][]float32
	var scores train.Losses
	for from := 0; from < len(j.records); from += j.size {
		b, err := j.batch(from, min(from+j.size, len(j.records)))
		if err != nil {
			return train.Evaluation{}, err
		}
		losses, err := meanLoss(ctx, j.learner.Loss, []method.Photos{b}, func(method.Photos) int { return 1 })
		if err != nil {
			return train.Evaluation{}, err
		}
		if scores == nil {
			scores = make(train.Losses, len(losses))
		}
		for i, l := range losses {
			scores[i].Name = l.Name
			scores[i].Value += l.Value * float64(len(b.Pixels)) / float64(len(j.records))
		}
		image, err := j.encoder.Image(ctx, b.Pixels)
		if err != nil {
			return train.Evaluation{}, err
		}
		text, err := j.encoder.Text(ctx, b.Texts)
		if err != nil {
			return train.Evaluation{}, err
		}
		images, texts = append(images, image...), append(texts, text...)
	}
	found, err := metrics.SelfRetrieval(images, texts)
	if err != nil {
		return train.Evaluation{}, err
	}
	e := train.Evaluation{Scores: append(scores,
		train.Loss{Name: "val_recall_1", Value: recall(found.Ranks, 1)},
		train.Loss{Name: "val_recall_5", Value: recall(found.Ranks, 5)},
		train.Loss{Name: "val_recall_10", Value: recall(found.Ranks, 10)},
	)}
	if j.captions == nil {
		return e, nil
	}
	if j.captions.embeddings, err = dataset.NewEmbeddings(images); err != nil {
		return e, err
	}
	more, samples, err := j.captions.scores(ctx)
	e.Scores, e.Samples = append(e.Scores, more...), samples
	return e, err
}

// recall is the share of ranks up to k.
func recall(ranks []int, k int) float64 {
	found := 0
	for _, rank := range ranks {
		if rank <= k {
			found++
		}
	}
	return float64(found) / float64(len(ranks))
}

func (j *clipJudge) batch(from, to int) (method.Photos, error) {
	var b method.Photos
	for i := from; i < to; i++ {
		photo, err := batches.Decode(j.photos, j.records[i].Image)
		if err != nil {
			return b, err
		}
		captions := j.records[i].Captions
		ids, err := j.tokenizer.Context(captions[i%len(captions)], j.context, true)
		if err != nil {
			return b, err
		}
		b.Pixels = append(b.Pixels, j.preprocess.Tensor(photo))
		b.Texts = append(b.Texts, ids)
		if j.words {
			b.Words = append(b.Words, batches.Words(j.tokenizer, captions))
		}
		if j.captions != nil {
			b.Captions = append(b.Captions, j.captions.tokenizer.Encode(dataset.Sentence(captions[i%len(captions)])))
		}
	}
	return b, nil
}

// textJudge judges a language model by sentences, and lets it write some.
type textJudge struct {
	learner   *method.LanguageModel
	batches   []method.Texts
	tokenizer *tokenizer.BPE
	search    decode.Options
	samples   int
}

func newTextJudge(learner *method.LanguageModel, l LanguageModel, bpe *tokenizer.BPE, stop []int) (*textJudge, error) {
	j := &textJudge{learner: learner, tokenizer: bpe, samples: l.Val.Samples, search: decode.Options{
		Strategy: decode.Sample, Temperature: 1, TopP: 1, Seed: uint64(l.Seed),
		MaxLength: min(l.MaxTokens, l.Network.Positions) - 1, StopTokens: stop, NBest: 1,
	}}
	var err error
	j.batches, err = l.Val.sentences(bpe, l.Batch)
	return j, err
}

// sentences are the batches that a network of text is judged by.
func (v Val) sentences(bpe *tokenizer.BPE, size int) ([]method.Texts, error) {
	if v.Every == 0 {
		return nil, nil
	}
	sentences, err := readSentences(v.Texts, v.Data.Captions, v.Data.Split)
	if err != nil {
		return nil, errors.Join(errors.New("val"), err)
	}
	var out []method.Texts
	for list := range slices.Chunk(limited(sentences, v.Limit), size) {
		var b method.Texts
		for _, s := range list {
			b.Sentences = append(b.Sentences, bpe.Encode(s))
		}
		out = append(out, b)
	}
	return out, nil
}

func (j *textJudge) evaluate(ctx context.Context) (train.Evaluation, error) {
	scores, err := meanLoss(ctx, j.learner.Loss, j.batches, func(b method.Texts) int { return len(b.Sentences) })
	if err != nil || j.samples == 0 {
		return train.Evaluation{Scores: scores}, err
	}
	session, err := j.learner.Write(j.samples)
	if err != nil {
		return train.Evaluation{}, err
	}
	found, err := decode.Search(ctx, session, j.search)
	if err != nil {
		return train.Evaluation{}, err
	}
	e := train.Evaluation{Scores: scores}
	for _, hypotheses := range found {
		e.Samples = append(e.Samples, train.Sample{Text: j.tokenizer.Line(hypotheses[0].Tokens)})
	}
	return e, nil
}
