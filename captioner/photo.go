package captioner

import (
	"context"
	"errors"
	"image"
	"io"

	"github.com/cutline-go/cutline/internal/imageproc"
)

// Errors that Read wraps, for those who answer them differently.
var (
	ErrTooLarge = imageproc.ErrTooLarge // the photo is over one of the Limits
	ErrFormat   = imageproc.ErrFormat   // it is in no format that Read knows
)

// Read reads a photo file (JPEG, PNG, WebP, GIF, BMP or TIFF; the first frame) and
// returns what the model sees of it: upright by its EXIF orientation, over white
// where it is transparent, scaled and cropped to a square of Info.ImageSize. It is
// small, so that many photos can wait for Captions. Header and size are judged
// before the pixels are decoded; errors are one line and leave the file's name to
// the caller.
func (c *Captioner) Read(r io.Reader) (image.Image, error) {
	photo, err := imageproc.Decode(r, c.limits)
	if err != nil {
		return nil, err
	}
	return picture(c.folder.Config.Image.Crop(photo)), nil
}

func picture(p *imageproc.RGB) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, p.Width, p.Height))
	for i := range p.Width * p.Height {
		copy(out.Pix[4*i:], p.Pix[3*i:3*i+3])
		out.Pix[4*i+3] = 0xff
	}
	return out
}

// pixels returns img as the CLIP's input. To a photo from Read it only adds the
// normalisation: a square of the right size is neither scaled nor cropped.
func (c *Captioner) pixels(img image.Image) ([]float32, error) {
	if img == nil {
		return nil, errors.New("the image is nil")
	}
	photo, err := imageproc.FromImage(img, c.limits)
	if err != nil {
		return nil, err
	}
	return c.folder.Config.Image.Tensor(photo), nil
}

// EmbedImage returns the photo's embedding by the model's CLIP, of
// Info.EmbeddingWidth numbers and not normalised.
func (c *Captioner) EmbedImage(ctx context.Context, img image.Image) ([]float32, error) {
	pixels, err := c.pixels(img)
	if err != nil {
		return nil, err
	}
	release, err := c.hold()
	if err != nil {
		return nil, err
	}
	defer release()
	embeddings, err := c.sound(c.encoder.Image(ctx, [][]float32{pixels}))
	if err != nil {
		return nil, err
	}
	return embeddings[0], nil
}

// EmbedText returns the text's embedding by the model's CLIP, in the space of
// EmbedImage and not normalised. What is over the CLIP's context length is cut off.
func (c *Captioner) EmbedText(ctx context.Context, text string) ([]float32, error) {
	release, err := c.hold()
	if err != nil {
		return nil, err
	}
	defer release()
	embeddings, err := c.encodeTexts(ctx, []string{text})
	if err != nil {
		return nil, err
	}
	return embeddings[0], nil
}
