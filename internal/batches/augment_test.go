package batches_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/imageproc"
)

func still() batches.Augment { return batches.Augment{MinArea: 1, MaxAspect: 1} }

// ramp is a photo whose red tells the column and whose green tells the row.
func ramp(width, height int) *imageproc.RGB {
	p := &imageproc.RGB{Width: width, Height: height, Pix: make([]uint8, 3*width*height)}
	for i := range width * height {
		p.Pix[3*i], p.Pix[3*i+1], p.Pix[3*i+2] = uint8(i%width), uint8(i/width), 7
	}
	return p
}

// crop is what a variation of a ramp shows of it.
type crop struct {
	left, top, width, height float64
	flipped                  bool
}

// inspect finds the crop again in what became of it, and fails if that is not one
// rectangle from the ramp.
func inspect(t *testing.T, p *imageproc.RGB, size int) crop {
	t.Helper()
	if p.Width != size || p.Height != size || len(p.Pix) != 3*size*size {
		t.Fatalf("%d×%d pixels in %d bytes, want %d×%[4]d", p.Width, p.Height, len(p.Pix), size)
	}
	at := func(x, y, channel int) float64 { return float64(p.Pix[3*(y*size+x)+channel]) }
	last := size - 1
	c := crop{flipped: at(0, 0, 0) > at(last, 0, 0)}
	// The first and the last pixel stand for what lies size−1 of size apart.
	scale := float64(size) / float64(last)
	c.width, c.height = math.Abs(at(last, 0, 0)-at(0, 0, 0))*scale, (at(0, last, 1)-at(0, 0, 1))*scale
	c.left, c.top = min(at(0, 0, 0), at(last, 0, 0)), at(0, 0, 1)
	const rounding = 2
	for y := range size {
		for x := range size {
			share := [2]float64{float64(x) / float64(last), float64(y) / float64(last)}
			red := at(0, 0, 0) + share[0]*(at(last, 0, 0)-at(0, 0, 0))
			green := at(0, 0, 1) + share[1]*(at(0, last, 1)-at(0, 0, 1))
			if math.Abs(at(x, y, 0)-red) > rounding || math.Abs(at(x, y, 1)-green) > rounding || at(x, y, 2) != 7 {
				t.Fatalf("pixel %d, %d is of column %g and row %g, want about %g and %g", x, y, at(x, y, 0), at(x, y, 1), red, green)
			}
		}
	}
	return c
}

// TestAugmentKeepsItsBounds finds the crops of many variations: each lies in the photo,
// keeps the area that it must, and is stretched no more than allowed; all of that is used.
func TestAugmentKeepsItsBounds(t *testing.T) {
	const width, height, size, times = 240, 160, 33, 400
	photo := ramp(width, height)
	for _, a := range []batches.Augment{
		{MinArea: 0.25, MaxAspect: 1.5, Flip: true},
		{MinArea: 0.4, MaxAspect: 2.5, Flip: true},
		{MinArea: 0.5, MaxAspect: 1, Flip: false},
		{MinArea: 0.8, MaxAspect: 1.25, Flip: true},
	} {
		smallest, largest, widest, tallest, flips := 1.0, 0.0, 1.0, 1.0, 0
		var right, below float64 // how far crops begin from the left and from the top
		for i := range times {
			c := inspect(t, a.Apply(photo, size, rand.New(rand.NewPCG(1, uint64(i)))), size)
			area := c.width * c.height / (width * height)
			smallest, largest = min(smallest, area), max(largest, area)
			aspect := c.width / width * height / c.height
			widest, tallest = max(widest, aspect), min(tallest, aspect)
			right, below = max(right, c.left), max(below, c.top)
			if c.flipped {
				flips++
			}
		}
		// Colours are whole numbers, so that a crop is known to some two pixels a side.
		const slack = 0.05
		if smallest < a.MinArea*(1-slack) || smallest > a.MinArea+0.1 || largest < 0.9 || largest > 1+slack {
			t.Errorf("%+v: areas from %.3f to %.3f", a, smallest, largest)
		}
		if limit := a.MaxAspect * (1 + slack); widest > limit || tallest < 1/limit || widest < a.MaxAspect*0.9 || tallest > 1.1/a.MaxAspect {
			t.Errorf("%+v: aspects from %.3f to %.3f", a, tallest, widest)
		}
		if reach := (1 - math.Sqrt(a.MinArea)) * 0.7; right < reach*width || below < reach*height {
			t.Errorf("%+v: no crop begins behind column %g or row %g", a, right, below)
		}
		if want := times / 2; a.Flip && (flips < want*8/10 || flips > want*12/10) || !a.Flip && flips > 0 {
			t.Errorf("%+v: %d flips of %d", a, flips, times)
		}
	}
}

func TestAugmentIsAFunctionOfItsRandomness(t *testing.T) {
	a, photo := batches.Augment{MinArea: 0.4, MaxAspect: 1.3, Flip: true}, ramp(50, 40)
	apply := func(seed uint64) []uint8 { return a.Apply(photo, 16, rand.New(rand.NewPCG(seed, 0))).Pix }
	if !bytes.Equal(apply(1), apply(1)) {
		t.Error("the same randomness gives two variations")
	}
	if bytes.Equal(apply(1), apply(2)) {
		t.Error("other randomness gives the same variation")
	}
	if !bytes.Equal(photo.Pix, ramp(50, 40).Pix) {
		t.Error("the photo itself was changed")
	}
}

func TestAugmentWithoutCrops(t *testing.T) {
	photo := ramp(50, 40)
	got := still().Apply(photo, 16, rand.New(rand.NewPCG(1, 2)))
	if want := photo.Resize(16, 16); !bytes.Equal(got.Pix, want.Pix) {
		t.Error("a photo that is not cropped is not the resized photo")
	}
}

// TestAugmentTinyPhotos crops photos of which a share is less than a pixel.
func TestAugmentTinyPhotos(t *testing.T) {
	a := batches.Augment{MinArea: 0.01, MaxAspect: 50, Flip: true}
	for _, size := range [][2]int{{1, 1}, {1, 9}, {9, 1}, {2, 2}} {
		for i := range 50 {
			p := a.Apply(ramp(size[0], size[1]), 4, rand.New(rand.NewPCG(1, uint64(i))))
			if p.Width != 4 || p.Height != 4 {
				t.Fatalf("%v pixels became %d×%d", size, p.Width, p.Height)
			}
		}
	}
}

func TestAugmentValidate(t *testing.T) {
	nan := math.NaN()
	for _, test := range []struct {
		augment batches.Augment
		want    string // "": valid
	}{
		{still(), ""},
		{batches.Augment{MinArea: 0.4, MaxAspect: 1.34, Flip: true}, ""},
		{batches.Augment{MinArea: 0.75, MaxAspect: 4. / 3}, ""},
		{batches.Augment{}, "min_area is 0"},
		{batches.Augment{MinArea: -0.1, MaxAspect: 1}, "min_area is -0.1"},
		{batches.Augment{MinArea: 1.1, MaxAspect: 1}, "min_area is 1.1"},
		{batches.Augment{MinArea: nan, MaxAspect: 1}, "min_area is NaN"},
		{batches.Augment{MinArea: 0.5}, "max_aspect is 0, want 1 to 1/min_area, 2"},
		{batches.Augment{MinArea: 0.5, MaxAspect: 2.1}, "max_aspect is 2.1, want 1 to 1/min_area, 2"},
		{batches.Augment{MinArea: 0.5, MaxAspect: nan}, "max_aspect is NaN"},
	} {
		err := test.augment.Validate()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%+v: error is %v, want %q", test.augment, err, test.want)
		}
	}
}
