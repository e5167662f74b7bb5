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

// readPhotos reads the inputs side by side and returns them in their order.
func readPhotos(model *captioner.Captioner, inputs []input, stdin io.Reader) []photo {
	photos := make([]photo, len(inputs))
	free := make(chan struct{}, readers)
	var all sync.WaitGroup
	for i, in := range inputs {
		free <- struct{}{}
		all.Go(func() {
			photos[i] = readPhoto(model, in, stdin)
			<-free
		})
	}
	all.Wait()
	return photos
}

func readPhoto(model *captioner.Captioner, in input, stdin io.Reader) photo {
	if in.err != nil {
		return photo{err: in.err}
	}
	from := stdin
	if in.name != stdinName {
		file, err := os.Open(in.name)
		if err != nil {
			return photo{err: err}
		}
		defer file.Close()
		from = file
	}
	img, err := model.Read(from)
	return photo{img, err}
}
