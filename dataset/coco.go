package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
)

// coco collects COCO's annotations, which come in no order, by the ids of images.
type coco struct {
	*gathering
	annotation []int32 // the first annotation of each image that is not listed yet, else −1
	listed     bool    // whether the file lists its images
}

// readCOCO yields COCO's and nocaps' images. A file without "images" names them by
// their numbers.
func readCOCO(r io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		c := coco{gathering: newGathering()}
		defer c.close()
		if err := c.read(newJSONStream(r)); err != nil {
			yield(Record{}, err)
			return
		}
		c.yieldAll(func(r Record, err error) bool {
			if r.Image == "" {
				r.Image = r.ID
			}
			return yield(r, err)
		})
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
	record := Record{ID: string(image.ID), Domain: image.Domain}
	for _, name := range []string{image.FileName, image.OpenImagesID, record.ID} {
		if name != "" {
			record.Image = name
			break
		}
	}
	known, is := c.find(record.ID)
	switch {
	case !is:
		c.annotation = append(c.annotation, -1)
		return c.begin(record.ID, record)
	case c.annotation[known] < 0:
		return fmt.Errorf("image %s comes twice", image.ID)
	}
	c.annotation[known] = -1
	return c.extend(known, record)
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
	id, captions := string(annotation.ImageID), []string{*annotation.Caption}
	if known, is := c.find(id); is {
		return c.extend(known, Record{Captions: captions})
	}
	c.annotation = append(c.annotation, int32(i))
	return c.begin(id, Record{ID: id, Captions: captions})
}

// checkListed fails if an annotation is of an image that the file does not list.
func (c *coco) checkListed() error {
	if !c.listed {
		return nil
	}
	for i, annotation := range c.annotation {
		if annotation >= 0 {
			r, err := c.record(i)
			return cmp.Or(err, fmt.Errorf("annotations[%d]: field %q: no image is %s", annotation, "image_id", r.ID))
		}
	}
	return nil
}
