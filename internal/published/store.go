package published

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cutline-go/cutline/internal/hub"
)

// Store is where model folders of pulled models lie: beside Hugging Face's cache of
// downloads, in the folder for what programs make of them.
//
//	NAME/      the model folder
//	NAME.json  its Record
type Store struct{ Dir string }

// Record says what a pulled model was made of.
type Record struct {
	Name    string     `json:"name"`
	Sources []hub.Repo `json:"sources"` // of each part, with the files that were taken
}

// OpenStore returns the store that Hugging Face's variables describe; see [hub.Assets].
func OpenStore() (Store, error) {
	assets, err := hub.Assets()
	return Store{filepath.Join(assets, "cutline", "models")}, err
}

// Folder returns the model folder of a model, and whether it is there.
func (s Store) Folder(name string) (dir string, pulled bool) {
	dir = filepath.Join(s.Dir, hub.Folder(name))
	info, err := os.Stat(dir)
	return dir, err == nil && info.IsDir()
}

func (s Store) recordPath(name string) string {
	return filepath.Join(s.Dir, hub.Folder(name)+".json")
}

// Record returns what is known of a pulled model, a zero value where nothing is.
func (s Store) Record(name string) (r Record, err error) {
	data, err := os.ReadFile(s.recordPath(name))
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, nil
	}
	if err != nil {
		return Record{}, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return Record{}, fmt.Errorf("%s: %w", s.recordPath(name), err)
	}
	return r, nil
}

func (s Store) write(r Record) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	path := s.recordPath(r.Name)
	if err := os.WriteFile(path+".new", append(data, '\n'), 0o666); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// Pulled returns the names of the models that are there, sorted.
func (s Store) Pulled() ([]string, error) {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		name := strings.ReplaceAll(e.Name(), "--", "/")
		// Others are what a crash while a folder was written left; see modelfolder.Write.
		left := strings.Contains(name, ".tmp-") || strings.Contains(name, ".old-")
		if e.IsDir() && !left && hub.CheckName(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Remove removes a pulled model and returns how many bytes that freed. The files that
// it was made of go from the cache of downloads, unless that is nil or another pulled
// model was made of the same repository.
func (s Store) Remove(name string, downloads *hub.Client) (freed int64, err error) {
	if err := hub.CheckName(name); err != nil {
		return 0, err
	}
	dir, pulled := s.Folder(name)
	if !pulled {
		return 0, fmt.Errorf("%s is not pulled", name)
	}
	if downloads != nil {
		if freed, err = s.forget(name, downloads); err != nil {
			return freed, err
		}
	}
	freed += Size(dir)
	if err := os.RemoveAll(dir); err != nil {
		return 0, err
	}
	err = os.Remove(s.recordPath(name))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return freed, err
}

// forget removes the downloads of a model that no other was made of.
func (s Store) forget(name string, client *hub.Client) (freed int64, err error) {
	record, err := s.Record(name)
	if err != nil {
		return 0, err
	}
	names, err := s.Pulled()
	if err != nil {
		return 0, err
	}
	shared := make(map[string]bool)
	for _, other := range names {
		if other == name {
			continue
		}
		other, err := s.Record(other)
		if err != nil {
			return 0, err
		}
		for _, source := range other.Sources {
			shared[source.ID] = true
		}
	}
	for _, source := range record.Sources {
		if shared[source.ID] {
			continue
		}
		bytes, err := client.Forget(source)
		freed += bytes
		if err != nil {
			return freed, err
		}
	}
	return freed, nil
}

// Size returns the bytes of all files in a folder that can be seen.
func Size(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}
