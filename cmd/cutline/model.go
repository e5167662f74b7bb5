package main

import (
	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/models"
)

// modelFlags say which model a verb runs, on what, and what a photo may cost.
type modelFlags struct {
	Model       string `placeholder:"DIR" help:"Model folder, or the name of a pulled model; the model in this program unless given."`
	Engine      string `default:"cutline" help:"What networks run on: cutline, go, or onnx:LIBRARY or xla:PLUGIN in a build with that tag."`
	LimitBytes  int64  `default:"20000000" help:"Largest photo file."`
	LimitPixels int64  `default:"50000000" help:"Largest photo, width × height."`
	LimitSide   int    `default:"16384" help:"Largest width and height of a photo."`
}

// open opens the model; batch is how many photos it captions at once.
func (f *modelFlags) open(batch int) (*captioner.Captioner, error) {
	options := captioner.Options{
		Engine: f.Engine,
		Batch:  batch,
		Limits: captioner.Limits{MaxBytes: f.LimitBytes, MaxPixels: f.LimitPixels, MaxSide: f.LimitSide},
	}
	if min(f.LimitBytes, f.LimitPixels, int64(f.LimitSide)) < 1 {
		return nil, &usageError{"limits must be at least 1", ""}
	}
	if f.Model != "" {
		dir, err := modelFolder(f.Model)
		if err != nil {
			return nil, err
		}
		return captioner.Open(dir, options)
	}
	carried, err := models.Tiny()
	if err != nil {
		return nil, &failure{err, "--model names a model folder"}
	}
	return captioner.OpenFS(carried, options)
}
