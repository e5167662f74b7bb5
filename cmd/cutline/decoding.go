package main

import "github.com/cutline-go/cutline/captioner"

// decodingFlags say how captions are searched for: greedily, unless beams,
// several captions or a way of sampling are asked for.
type decodingFlags struct {
	Beams         int     `group:"Decoding" placeholder:"N" help:"Beams of ClipCap's beam search, 1 is greedy; as the model says unless given."`
	Temperature   float64 `group:"Decoding" placeholder:"T" help:"Sample, the bolder the higher; 1 is the model's own distribution."`
	TopK          int     `group:"Decoding" placeholder:"N" help:"Sample among the N most probable tokens."`
	TopP          float64 `group:"Decoding" placeholder:"P" help:"Sample among the fewest tokens of probability P."`
	Seed          uint64  `group:"Decoding" placeholder:"N" help:"Seed of sampling: the same photo and seed give the same caption."`
	MinLength     int     `group:"Decoding" placeholder:"N" help:"Fewest tokens of a caption."`
	MaxLength     int     `group:"Decoding" placeholder:"N" help:"Most tokens of a caption; the model's own limit unless given."`
	NoRepeatNgram int     `group:"Decoding" placeholder:"N" help:"Let no run of N tokens occur twice in a caption."`
	NBest         int     `group:"Decoding" placeholder:"K" help:"K captions of each photo with their scores, by beam search unless sampled."`
	Align         string  `group:"Decoding" placeholder:"HOW" help:"Move photos among the texts that a model learned from: none, mean, memory, nearest, caption or textualise; as the model says unless given."`
	Method        string  `group:"Decoding" placeholder:"HOW" help:"zerocap: let the language model go on with --prompt, towards what the CLIP finds like the photo; it takes minutes. zerocap-sum: its settings for sums of photos."`
	Prompt        string  `group:"Decoding" placeholder:"TEXT" help:"What zerocap's captions go on with; 'Image of a' unless given."`
	Rerank        string  `group:"Decoding" enum:"none,clip" default:"none" help:"Order those by likeness to the photo (clip) instead of probability."`
}

// apply returns the captioner with these flags, which compares captions with their photos
// where scores are wanted. A value that cannot be is a mistake in the command line.
func (f *decodingFlags) apply(model *captioner.Captioner, scores bool) (*captioner.Captioner, error) {
	decoding := captioner.Decoding{
		Beams: f.Beams, Temperature: f.Temperature, TopK: f.TopK, TopP: f.TopP, Seed: f.Seed,
		MinLength: f.MinLength, MaxLength: f.MaxLength, NoRepeatNgram: f.NoRepeatNgram,
		NBest: f.NBest, Rerank: f.Rerank == "clip", Similarity: scores, Align: f.Align, Method: f.Method, Prompt: f.Prompt,
	}
	configured, err := model.With(decoding)
	if err != nil {
		return nil, &usageError{err.Error(), ""}
	}
	return configured, nil
}
