package dataset

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
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

// OpenPhotos opens a folder or an uncompressed tar archive and lists the photos in it,
// which it tells by their extensions, by name. In a folder, names that begin with a dot
// are left out. Close them after use.
func OpenPhotos(path string) (photos Photos, names []string, close func() error, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, nil, err
	}
	photos, close = Folder(path), func() error { return nil }
	if info.IsDir() {
		err = fs.WalkDir(os.DirFS(path), ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			hidden := strings.HasPrefix(entry.Name(), ".") && name != "."
			switch {
			case hidden && entry.IsDir():
				return fs.SkipDir
			case !hidden && entry.Type()&^fs.ModeSymlink == 0: // a file, or a link
				names = append(names, name)
			}
			return nil
		})
	} else {
		var archive *Tar
		if archive, err = OpenTar(path); err == nil {
			photos, close, names = archive, archive.Close, archive.Names()
		}
	}
	if err != nil {
		return nil, nil, nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !isPhoto(name) })
	if len(names) == 0 {
		_ = close() // the error that helps is that there are none
		return nil, nil, nil, fmt.Errorf("%s: no photos", path)
	}
	slices.Sort(names)
	return photos, names, close, nil
}
