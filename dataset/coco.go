package dataset

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
)

// coco collects COCO's annotations, which come in no order, by image.
type coco struct {
	records    []*Record
	byID       map[label]*Record
	annotation map[label]int // the first annotation of each image not yet listed
	listed     bool          // whether the file lists its images
}

// readCOCO yields COCO's and nocaps' images. A file without "images" names them by
// their numbers.
func readCOCO(r io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		c := coco{byID: make(map[label]*Record), annotation: make(map[label]int)}
		if err := c.read(newJSONStream(r)); err != nil {
			yield(Record{}, err)
			return
		}
		for _, record := range c.records {
			if !yield(*record, nil) {
				return
			}
		}
	}
}

func (c *coco) read(s *jsonStream) error {
	var keys []string
	for key, err := range s.object() {
		if err != nil {
			return err
		}
		keys = append(keys, key)
		switch key {
		case "images":
			c.listed = true
			err = c.each(s, key, c.addImage)
		case "annotations":
			err = c.each(s, key, c.addAnnotation)
		default:
			err = s.skip()
		}
		if err != nil {
			return err
		}
	}
	if !slices.Contains(keys, "images") && !slices.Contains(keys, "annotations") {
		return errors.New(`fields "images" and "annotations" are missing`)
	}
	if err := c.checkListed(); err != nil {
		return err
	}
	return s.end()
}

// each adds every element of an array, and says in errors which it was.
func (c *coco) each(s *jsonStream, key string, add func(s *jsonStream, i int) error) error {
	for i, err := range s.array() {
		if err == nil {
			err = add(s, i)
		}
		if err != nil {
			return fmt.Errorf("%s[%d]: %w", key, i, err)
		}
	}
	return nil
}

func (c *coco) addImage(s *jsonStream, _ int) error {
	var image struct {
		ID           label  `json:"id"`
		FileName     string `json:"file_name"`
		OpenImagesID string `json:"open_images_id"`
		Domain       string `json:"domain"`
	}
	if err := s.decode(&image); err != nil {
		return err
	}
	if image.ID == "" {
		return errors.New(`field "id" is missing`)
	}
	record := c.record(image.ID)
	if _, waiting := c.annotation[image.ID]; !waiting && record.Image != "" {
		return fmt.Errorf("image %s comes twice", image.ID)
	}
	delete(c.annotation, image.ID)
	for _, name := range []string{image.FileName, image.OpenImagesID, record.ID} {
		if name != "" {
			record.Image = name
			break
		}
	}
	record.Domain = image.Domain
	return nil
}

func (c *coco) addAnnotation(s *jsonStream, i int) error {
	var annotation struct {
		ImageID label   `json:"image_id"`
		Caption *string `json:"caption"`
	}
	if err := s.decode(&annotation); err != nil {
		return err
	}
	switch {
	case annotation.ImageID == "":
		return errors.New(`field "image_id" is missing`)
	case annotation.Caption == nil:
		return errors.New(`field "caption" is missing`)
	}
	record := c.record(annotation.ImageID)
	if record.Image == "" {
		record.Image = record.ID
		c.annotation[annotation.ImageID] = i
	}
	record.Captions = append(record.Captions, *annotation.Caption)
	return nil
}

// record returns the record of an image, a new one without a name if there is none.
func (c *coco) record(id label) *Record {
	if r := c.byID[id]; r != nil {
		return r
	}
	r := &Record{ID: string(id)}
	c.records = append(c.records, r)
	c.byID[id] = r
	return r
}

// checkListed fails if an annotation is of an image that the file does not list.
func (c *coco) checkListed() error {
	if !c.listed {
		return nil
	}
	for _, r := range c.records {
		if i, unlisted := c.annotation[label(r.ID)]; unlisted {
			return fmt.Errorf("annotations[%d]: field %q: no image is %s", i, "image_id", r.ID)
		}
	}
	return nil
}
