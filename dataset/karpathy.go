package dataset

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
)

// readKarpathy yields the images of Karpathy's files.
func readKarpathy(r io.Reader, restvalIsTrain bool) iter.Seq2[Record, error] {
	s := newJSONStream(r)
	return s.whole(func(yield func(Record, error) bool) {
		found := false
		for key, err := range s.object() {
			if err == nil && key != "images" {
				err = s.skip()
			}
			if err != nil {
				yield(Record{}, err)
				return
			}
			if key != "images" {
				continue
			}
			found = true
			for r, err := range s.karpathyImages() {
				if r.Split == "restval" && restvalIsTrain {
					r.Split = "train"
				}
				if !yield(r, err) || err != nil {
					return
				}
			}
		}
		if !found {
			yield(Record{}, errors.New(`field "images" is missing`))
		}
	})
}

func (s *jsonStream) karpathyImages() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for i, err := range s.array() {
			var r Record
			if err == nil {
				r, err = s.karpathyImage()
			}
			if err != nil {
				err = fmt.Errorf("images[%d]: %w", i, err)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// karpathyImage reads an image. Only COCO's have a folder and a number.
func (s *jsonStream) karpathyImage() (Record, error) {
	var image struct {
		Folder    string `json:"filepath"`
		FileName  string `json:"filename"`
		Split     string `json:"split"`
		COCOID    label  `json:"cocoid"`
		Sentences []struct {
			Raw *string `json:"raw"`
		} `json:"sentences"`
	}
	if err := s.decode(&image); err != nil {
		return Record{}, err
	}
	switch {
	case image.FileName == "":
		return Record{}, errors.New(`field "filename" is missing`)
	case image.Split == "":
		return Record{}, errors.New(`field "split" is missing`)
	}
	r := Record{Image: path.Join(image.Folder, image.FileName), Split: image.Split, ID: string(image.COCOID)}
	for i, sentence := range image.Sentences {
		if sentence.Raw == nil {
			return Record{}, fmt.Errorf("sentences[%d]: field %q is missing", i, "raw")
		}
		r.Captions = append(r.Captions, *sentence.Raw)
	}
	return r, nil
}
