package main

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/internal/engine"
)

// doctorCmd checks that this build captions photos on this machine.
type doctorCmd struct {
	modelFlags
}

func (cmd *doctorCmd) Run(ctx context.Context, c *console) error {
	say := func(what, format string, values ...any) {
		fmt.Fprintf(c.out, "%-9s %s\n", what, fmt.Sprintf(format, values...))
	}
	say("go", "%s %s/%s, %d processors", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0))
	say("engines", "%s", strings.Join(engine.Names(), ", "))
	say("kernels", "%s", engine.Kernels())
	failed := false
	if err := writable(os.TempDir()); err != nil {
		failed = true
		c.fileError(os.TempDir(), err)
	} else {
		say("temporary", "%s can be written", os.TempDir())
	}
	if err := cmd.checkModel(ctx, say); err != nil {
		return err
	}
	if failed {
		return errReported
	}
	return nil
}

// checkModel opens the model and captions, or embeds, a drawn picture twice:
// the first time the networks are compiled.
func (cmd *doctorCmd) checkModel(ctx context.Context, say func(what, format string, values ...any)) error {
	start := time.Now()
	model, err := cmd.open(1)
	if err != nil {
		return err
	}
	defer model.Close()
	info := model.Info()
	say("model", "%s: CLIP %s, %.1f million parameters, opened in %s",
		info.Name, info.CLIP, float64(info.Parameters)/1e6, since(start))
	for _, when := range []string{"first", "then"} {
		start = time.Now()
		text, err := see(ctx, model, info)
		if err != nil {
			return err
		}
		say(when, "%s in %s", text, since(start))
	}
	say("engine", "%s", model.Info().Engine) // now that the networks are compiled
	return nil
}

// see runs the model on a drawn picture and tells what came out.
func see(ctx context.Context, model *captioner.Captioner, info captioner.Info) (string, error) {
	if !info.Captions {
		embedding, err := model.EmbedImage(ctx, picture())
		return fmt.Sprintf("an embedding of %d numbers", len(embedding)), err
	}
	caption, err := model.Caption(ctx, picture())
	return fmt.Sprintf("%q", caption.Text), err
}

// picture draws a sun over grass.
func picture() image.Image { return draw(320, 240) }

func draw(width, height int) image.Image {
	radius := height / 6
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			dx, dy := x-width/2, y-height/3
			pixel := color.RGBA{135, 190, 235, 255}
			switch {
			case dx*dx+dy*dy < radius*radius:
				pixel = color.RGBA{250, 220, 90, 255}
			case y > 2*height/3:
				pixel = color.RGBA{70, 150, 60, 255}
			}
			img.SetRGBA(x, y, pixel)
		}
	}
	return img
}

// writable tells why no file can be made in a folder.
func writable(folder string) error {
	file, err := os.CreateTemp(folder, "cutline-doctor-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if _, err := file.WriteString("written"); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

func since(start time.Time) time.Duration { return time.Since(start).Round(time.Millisecond) }
