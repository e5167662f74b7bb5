package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// dir returns the folder of a model in the cache.
func (c *Client) dir(id string) string { return filepath.Join(c.Cache, "models--"+Folder(id)) }

func (c *Client) blob(id string, d Digest) string {
	return filepath.Join(c.dir(id), "blobs", string(d))
}

// Snapshot returns the folder of a commit's files.
func (c *Client) Snapshot(repo Repo) string {
	return filepath.Join(c.dir(repo.ID), "snapshots", repo.Commit)
}

// link names a blob in the snapshot, notes the commit, and returns the name's path.
func (c *Client) link(repo Repo, file File) (string, error) {
	path, blob := filepath.Join(c.Snapshot(repo), filepath.FromSlash(file.Name)), c.blob(repo.ID, file.Digest)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", err
	}
	target, err := filepath.Rel(filepath.Dir(path), blob) // relative, so that the cache can be moved
	if err != nil {
		return "", err
	}
	if old, err := os.Readlink(path); err != nil || old != target {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		err := os.Symlink(target, path)
		if err != nil { // Windows, to users who may not
			err = os.Link(blob, path)
		}
		if err != nil {
			return "", err
		}
	}
	return path, c.note(repo)
}

// note writes which commit the branch stands at.
func (c *Client) note(repo Repo) error {
	ref := filepath.Join(c.dir(repo.ID), "refs", revision)
	if old, err := os.ReadFile(ref); err == nil && string(old) == repo.Commit {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(ref), 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(ref+".new", []byte(repo.Commit), 0o666); err != nil {
		return err
	}
	return os.Rename(ref+".new", ref)
}

// cached returns what the cache holds of a model.
func (c *Client) cached(id string) (Repo, error) {
	commit, err := os.ReadFile(filepath.Join(c.dir(id), "refs", revision))
	if errors.Is(err, fs.ErrNotExist) {
		return Repo{}, fmt.Errorf("is not in the cache %s; %w", c.Cache, errOffline)
	}
	if err != nil {
		return Repo{}, err
	}
	repo := Repo{ID: id, Commit: strings.TrimSpace(string(commit))}
	if !isCommit(repo.Commit) {
		return Repo{}, fmt.Errorf("%s holds %.50q, want a commit", filepath.Join(c.dir(id), "refs", revision), commit)
	}
	root := c.Snapshot(repo)
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		target, err := os.Readlink(path)
		if err != nil {
			return nil // not a link: nothing tells its checksum
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		file := File{Name: filepath.ToSlash(name), Digest: Digest(filepath.Base(target))}
		if info, err := os.Stat(c.blob(id, file.Digest)); err == nil && file.Digest.valid() {
			file.Size = info.Size()
			repo.Files = append(repo.Files, file)
		}
		return nil
	})
	return repo, err
}

// Forget removes files of a commit from the cache, and the blobs that no other
// commit needs. It returns how many bytes that freed.
func (c *Client) Forget(repo Repo) (freed int64, err error) {
	if err := CheckName(repo.ID); err != nil {
		return 0, err
	}
	if !isCommit(repo.Commit) {
		return 0, fmt.Errorf("%s: %.50q is not a commit", repo.ID, repo.Commit)
	}
	for _, file := range repo.Files {
		if !isFileName(file.Name) || !file.Digest.valid() {
			return freed, fmt.Errorf("%s: %.50q is not a file of a model", repo.ID, file.Name)
		}
		path := filepath.Join(c.Snapshot(repo), filepath.FromSlash(file.Name))
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return freed, err
		}
		size, err := c.drop(repo.ID, file.Digest)
		if err != nil {
			return freed, err
		}
		freed += size
	}
	if os.Remove(filepath.Join(c.dir(repo.ID), "blobs")) == nil { // it was empty: nothing of the model is left
		err = os.RemoveAll(c.dir(repo.ID))
	}
	return freed, err
}

// drop removes a blob that no commit needs, and returns its size.
func (c *Client) drop(id string, d Digest) (int64, error) {
	blob := c.blob(id, d)
	info, err := os.Stat(blob)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if needed, err := c.needed(id, d); err != nil || needed {
		return 0, err
	}
	return info.Size(), os.Remove(blob)
}

// needed tells whether a file of any commit is this blob.
func (c *Client) needed(id string, d Digest) (found bool, err error) {
	err = filepath.WalkDir(filepath.Join(c.dir(id), "snapshots"), func(path string, _ fs.DirEntry, err error) error {
		if target, reading := os.Readlink(path); reading == nil && filepath.Base(target) == string(d) {
			found = true
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return found, err
}
