package decode

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	sample := PaperGreedy()
	sample.Strategy = Sample
	for _, o := range []Options{PaperGreedy(), PaperBeam(), sample} {
		if err := o.Validate(); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	tests := []struct {
		field  string
		from   Options
		change func(*Options)
	}{
		{"strategy", PaperGreedy(), func(o *Options) { o.Strategy = "" }},
		{"strategy", PaperGreedy(), func(o *Options) { o.Strategy = "beams" }},
		{"beams", PaperBeam(), func(o *Options) { o.Beams = 0 }},
		{"temperature", sample, func(o *Options) { o.Temperature = 0 }},
		{"temperature", sample, func(o *Options) { o.Temperature = math.NaN() }},
		{"temperature", sample, func(o *Options) { o.Temperature = math.Inf(1) }},
		{"top_k", sample, func(o *Options) { o.TopK = -1 }},
		{"top_p", sample, func(o *Options) { o.TopP = 0 }},
		{"top_p", sample, func(o *Options) { o.TopP = 1.1 }},
		{"top_p", sample, func(o *Options) { o.TopP = math.NaN() }},
		{"min_length", PaperGreedy(), func(o *Options) { o.MinLength = -1 }},
		{"min_length", PaperGreedy(), func(o *Options) { o.MinLength = o.MaxLength + 1 }},
		{"max_length", PaperGreedy(), func(o *Options) { o.MaxLength = 0 }},
		{"no_repeat_ngram", PaperGreedy(), func(o *Options) { o.NoRepeatNgram = -1 }},
		{"stop_tokens", PaperGreedy(), func(o *Options) { o.StopTokens = []int{13, -1} }},
		{"n_best", PaperGreedy(), func(o *Options) { o.NBest = 0 }},
		{"n_best", PaperGreedy(), func(o *Options) { o.NBest = 2 }},
		{"n_best", PaperBeam(), func(o *Options) { o.NBest = o.Beams + 1 }},
	}
	for _, tt := range tests {
		o := tt.from
		tt.change(&o)
		err := o.Validate()
		if err == nil || !strings.HasPrefix(err.Error(), "decode: "+tt.field+" ") {
			t.Errorf("%+v: error %v, want one about %s", o, err, tt.field)
		}
		if found, searchErr := Search(t.Context(), &scripted{}, o); found != nil || searchErr == nil || searchErr.Error() != err.Error() {
			t.Errorf("search: %v, want %v", searchErr, err)
		}
	}
}

// TestOptionsAsJSON: a search can be replayed from what it printed.
func TestOptionsAsJSON(t *testing.T) {
	want := Options{
		Strategy: Sample, Beams: 2, Temperature: 0.7, TopK: 3, TopP: 0.9, Seed: math.MaxUint64,
		MinLength: 4, MaxLength: 50, NoRepeatNgram: 6, StopTokens: []int{13, 764}, NBest: 7,
	}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Options
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s gives %+v", data, got)
	}
}
