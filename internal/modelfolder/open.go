package modelfolder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// The names in a folder.
const (
	configFile       = "config.json"
	tensorsFile      = "model.safetensors"
	memoryFile       = "memory.safetensors"
	runFile          = "run.json"
	clipTokenizer    = "clip_tokenizer"
	gptTokenizer     = "gpt_tokenizer"
	robertaTokenizer = "roberta_tokenizer"
)

// What a file may have, in bytes.
const (
	maxConfig = 1 << 20
	maxRun    = 16 << 20
)

// Folder is an open model folder.
type Folder struct {
	Model // Tensors point into the file, are read-only, and end with Close

	name  string
	files []*weights.File
}

// Open opens the model folder dir. It is strict: a field of config.json that is
// unknown, a size that cannot be built, or parts that do not fit each other are an
// error of one line that names the file. Whether the tensors are those that the
// networks ask for is seen by Load.
func Open(dir string) (*Folder, error) {
	// Held open, so that its number cannot be given to a folder that replaces it.
	root, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	folder, err := open(os.DirFS(dir), dir, func(file string) (*weights.File, error) {
		return weights.Open(filepath.Join(dir, file))
	})
	if err == nil && !stillAt(dir, root) {
		_ = folder.Close() // it may be half of one model and half of another
		return nil, fmt.Errorf("%s: was replaced while it was opened; try again", dir)
	}
	return folder, err
}

// stillAt tells whether the open folder root is what lies at dir.
func stillAt(dir string, root *os.File) bool {
	opened, err := root.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(dir)
	return err == nil && os.SameFile(opened, now)
}

// OpenFS is Open for a folder at the root of fsys, such as an embedded one; name
// stands for its path in errors.
func OpenFS(fsys fs.FS, name string) (*Folder, error) {
	return open(fsys, name, func(file string) (*weights.File, error) {
		data, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, fileError(name, file, err)
		}
		return weights.Parse(path.Join(name, file), data)
	})
}

func open(fsys fs.FS, name string, tensors func(file string) (*weights.File, error)) (*Folder, error) {
	config, err := readConfig(fsys)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: not a model folder: no %s", name, configFile)
	}
	if err != nil {
		return nil, fileError(name, configFile, err)
	}
	if err := config.Validate(); err != nil { // before anything big is read
		return nil, fileError(name, configFile, err)
	}
	f := &Folder{Model: Model{Config: config}, name: name}
	if err := f.readSmall(fsys); err != nil {
		return nil, err
	}
	if err := f.readTensors(tensors); err != nil {
		_ = f.Close() // the first error is the one that helps
		return nil, err
	}
	if err := f.validate(); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// readTensors opens the tensors and, where there is one, the memory.
func (f *Folder) readTensors(open func(file string) (*weights.File, error)) error {
	file, err := open(tensorsFile)
	if err != nil {
		return err
	}
	f.files, f.Tensors = append(f.files, file), file.Tensors()
	if f.Config.Memory == nil {
		return nil
	}
	if file, err = open(memoryFile); err != nil {
		return err
	}
	f.files = append(f.files, file)
	if f.Memory, err = readMemory(file, f.Config); err != nil {
		return fileError(f.name, memoryFile, err)
	}
	return nil
}

// readSmall reads run.json, where there is one, and the tokenizers.
func (f *Folder) readSmall(fsys fs.FS) (err error) {
	if f.Run, err = readBounded(fsys, runFile, maxRun); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fileError(f.name, runFile, err)
	}
	tokenizers := []struct {
		wanted bool
		name   string
		to     **tokenizer.BPE
	}{
		{f.Config.CLIP != nil, clipTokenizer, &f.CLIPTokenizer},
		{f.Config.GPT() != nil, gptTokenizer, &f.GPTTokenizer},
		{f.Config.RoBERTa != nil, robertaTokenizer, &f.RoBERTaTokenizer},
	}
	var all sync.WaitGroup
	failures := make([]error, len(tokenizers))
	for i, t := range tokenizers {
		if t.wanted {
			all.Go(func() { *t.to, failures[i] = readTokenizer(fsys, t.name) })
		}
	}
	all.Wait()
	for i, t := range tokenizers {
		if failures[i] != nil {
			return fileError(f.name, t.name, failures[i])
		}
	}
	return nil
}

// readConfig reads config.json and refuses fields that it does not know: they
// would change the network, or come from a newer program.
func readConfig(fsys fs.FS) (Config, error) {
	data, err := readBounded(fsys, configFile, maxConfig)
	if err != nil {
		return Config{}, err
	}
	var c Config
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return Config{}, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return Config{}, errors.New("more follows the object")
	}
	return c, nil
}

func readBounded(fsys fs.FS, name string, most int64) ([]byte, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, fmt.Errorf("not a file of at most %d MiB", most>>20)
	}
	return io.ReadAll(io.LimitReader(file, most))
}

func readTokenizer(fsys fs.FS, dir string) (*tokenizer.BPE, error) {
	vocab, err := fsys.Open(path.Join(dir, "vocab.json"))
	if err != nil {
		return nil, err
	}
	defer vocab.Close()
	merges, err := fsys.Open(path.Join(dir, "merges.txt"))
	if err != nil {
		return nil, err
	}
	defer merges.Close()
	return tokenizer.Read(vocab, merges)
}

// fileError names the file that err is about, once.
func fileError(dir, file string, err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		file, err = inner.Path, inner.Err
	}
	return fmt.Errorf("%s: %w", path.Join(dir, file), err)
}

// Load gives store the values of all tensors, which are float32 to the networks and which
// engine holds: they are in memory once, as [weights.LoadOn] says. The store may hold
// nothing else. Where the tensors are not exactly those that the networks ask for, the
// error is a *weights.MismatchError and store has no values.
func (f *Folder) Load(engine compute.Backend, store *model.Store) error {
	err := weights.Declare(engine, store, f.Config.Declare)
	if err == nil {
		err = weights.LoadOn(engine, store, f.Tensors)
	}
	if err != nil {
		return fileError(f.name, tensorsFile, err)
	}
	return nil
}

// LoadInParts is Load but for CLIP's text tower, which photos do not need: its values go
// to texts, a store of its own, when later is called, once and before Close.
func (f *Folder) LoadInParts(engine compute.Backend, store, texts *model.Store) (later func() error, err error) {
	tower, err := f.loadSeeing(engine, store, texts)
	if err != nil {
		return nil, fileError(f.name, tensorsFile, err)
	}
	return func() error {
		if err := weights.LoadOn(engine, texts, tower); err != nil {
			return fileError(f.name, tensorsFile, err)
		}
		return nil
	}, nil
}

// loadSeeing loads all but the text tower, which it declares in texts and returns.
func (f *Folder) loadSeeing(engine compute.Backend, store, texts *model.Store) ([]weights.Tensor, error) {
	err := weights.Declare(engine, store, f.Config.Declare)
	if err == nil {
		err = weights.Match(store, f.Tensors)
	}
	if err == nil {
		err = weights.Declare(engine, texts, func(root *model.Scope, g *graph.Graph) {
			f.Config.CLIP.DeclareText(root.At(clip.Scope), g)
		})
	}
	if err != nil {
		return nil, err
	}
	tower := weights.Asked(texts, f.Tensors)
	for _, t := range tower {
		if err := t.CheckFloats(); err != nil { // while it can still be told of the folder
			return nil, err
		}
		if err := store.DeleteVariable(weights.VariablePath(t.Name)); err != nil {
			return nil, err
		}
	}
	return tower, weights.LoadOn(engine, store, weights.Asked(store, f.Tensors))
}

// Close releases the tensors and the memory; what Load read stays.
func (f *Folder) Close() error {
	var errs []error
	for _, file := range f.files {
		errs = append(errs, file.Close())
	}
	f.Tensors, f.Memory, f.files = nil, nil, nil
	return errors.Join(errs...)
}
