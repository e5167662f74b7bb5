package main

import (
	"image"
	"io"
	"os"
	"sync"

	"github.com/cutline-go/cutline/captioner"
)

// readers is how many photos are decoded at a time. Each takes some hundred
// megabytes at worst, so there are few.
const readers = 4

// photo is what a model sees of an input, or why it sees nothing.
type photo struct {
	image image.Image
	err   error
}

// opener opens an input by its name: a file, or an entry of an archive.
type opener func(name string) (io.ReadCloser, error)

// open opens a file, or stdin under its name.
func (c *console) open(name string) (io.ReadCloser, error) {
	if name == stdinName {
		return io.NopCloser(c.in), nil
	}
	return os.Open(name)
}

// readPhotos reads the inputs side by side and returns them in their order.
func readPhotos(model *captioner.Captioner, inputs []input, open opener) []photo {
	photos := make([]photo, len(inputs))
	free := make(chan struct{}, readers)
	var all sync.WaitGroup
	for i, in := range inputs {
		free <- struct{}{}
		all.Go(func() {
			photos[i] = readPhoto(model, in, open)
			<-free
		})
	}
	all.Wait()
	return photos
}

func readPhoto(model *captioner.Captioner, in input, open opener) photo {
	if in.err != nil {
		return photo{err: in.err}
	}
	file, err := open(in.name)
	if err != nil {
		return photo{err: err}
	}
	defer file.Close()
	img, err := model.Read(file)
	return photo{img, err}
}
