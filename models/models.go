// Package models holds the model that the command carries, so that it captions
// photos offline from one file. The library does not import it: its users choose
// a model and pay for its bytes only then.
package models

import (
	"embed"
	"errors"
	"io/fs"
)

//go:embed tiny
var folders embed.FS

// Tiny returns the model folder that was trained on Flickr8k alone. It fails
// in a build whose source has no such model.
func Tiny() (fs.FS, error) {
	folder, err := fs.Sub(folders, "tiny")
	if err != nil {
		return nil, err
	}
	if _, err := fs.Stat(folder, "config.json"); err != nil {
		return nil, errors.New("this build carries no model")
	}
	return folder, nil
}
