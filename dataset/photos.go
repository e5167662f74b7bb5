package dataset

import (
	"io"
	"io/fs"
	"os"
)

// Photos gives the bytes of photographs by name.
type Photos interface {
	// Open returns the photo of that name; where there is none, the error is
	// fs.ErrNotExist.
	Open(name string) (io.ReadCloser, error)
}

// Folder is the photos in a folder, by their path below it, with slashes.
func Folder(dir string) Photos { return folder{os.DirFS(dir)} }

type folder struct{ fs.FS }

func (f folder) Open(name string) (io.ReadCloser, error) { return f.FS.Open(name) }
