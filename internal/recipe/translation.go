package recipe

import (
	"context"
	"errors"
	"fmt"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/cyclegan"
	"github.com/cutline-go/cutline/internal/train"
)

// translationJudge judges a textualiser by photos with captions: by what a captioner of
// texts' embeddings says of them, translated and as they are.
type translationJudge struct {
	captions   captionJudge
	photos     *dataset.Embeddings // as they are
	translator *cyclegan.Translator
	direct     float64 // CIDEr of the photos as they are; the captioner does not change
}

// newTranslationJudge judges the textualiser in store by the captioner in e's folder.
// Where v judges nothing, it is not asked to.
func newTranslationJudge(ctx context.Context, e *embedder, v Val, store *model.Store, generator cyclegan.Config) (*translationJudge, error) {
	j := &translationJudge{}
	records, photos, closePhotos, err := v.open()
	if err != nil || records == nil || e.run.Forecast != nil {
		return j, err
	}
	j.photos, err = e.photos(ctx, v.Data, records, photos, plainView())
	if err := errors.Join(err, closePhotos()); err != nil {
		return nil, err
	}
	folder, frozen := e.folder, model.NewStore()
	if folder.Config.Captioner == nil {
		return nil, fmt.Errorf("the decoder is a %s, want a captioner", folder.Config.Kind())
	}
	if err := folder.Load(e.run.Engine, frozen); err != nil {
		return nil, err
	}
	network := *folder.Config.Captioner
	j.captions = captionJudge{
		tokenizer: folder.GPTTokenizer, records: records, samples: v.Samples, embeddings: j.photos,
		search: greedy(folder.Config.StopTokens, maxTokens(folder, network)),
	}
	if j.captions.generator, err = clipcap.NewGenerator(e.run.Engine, frozen, network); err != nil {
		return nil, err
	}
	direct, _, err := j.captions.scores(ctx)
	if err != nil {
		return nil, err
	}
	j.direct = direct[0].Value
	j.translator, err = cyclegan.NewTranslator(e.run.Engine, store, generator)
	return j, err
}

func (j *translationJudge) close() {
	if j.photos != nil {
		_ = j.photos.Close() // it was read; a mapping that stays harms nobody
	}
}

func (j *translationJudge) evaluate(ctx context.Context) (train.Evaluation, error) {
	rows := make([][]float32, j.photos.Len())
	for i := range rows {
		rows[i] = j.photos.Row(i)
	}
	translated, err := j.translator.Textualize(ctx, rows)
	if err != nil {
		return train.Evaluation{}, err
	}
	if j.captions.embeddings, err = dataset.NewEmbeddings(translated); err != nil {
		return train.Evaluation{}, err
	}
	scores, samples, err := j.captions.scores(ctx)
	return train.Evaluation{Scores: append(scores, train.Loss{Name: "val_direct_cider", Value: j.direct}), Samples: samples}, err
}
