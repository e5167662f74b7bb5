package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// revision is the branch that models are fetched from.
const revision = "main"

// maxInfo bounds what the hub tells of a model, in bytes.
const maxInfo = 16 << 20

// Repo is a model on the hub, at a commit.
type Repo struct {
	ID      string `json:"repo"`    // OWNER/NAME
	Commit  string `json:"commit"`  // 40 hexadecimal digits
	Licence string `json:"licence"` // as its page states it, "mit"; "" where it does not, and offline
	Files   []File `json:"files"`
}

// File is a file of a model.
type File struct {
	Name   string `json:"name"` // with slashes
	Size   int64  `json:"size"` // bytes
	Digest Digest `json:"digest"`
}

// info is the part that we read of the hub's answer.
type info struct {
	SHA      string `json:"sha"`
	Siblings []struct {
		Name   string `json:"rfilename"`
		Size   *int64 `json:"size"`
		BlobID Digest `json:"blobId"`
		LFS    *struct {
			SHA256 Digest `json:"sha256"`
			Size   int64  `json:"size"`
		} `json:"lfs"`
	} `json:"siblings"`
	Card struct {
		License any `json:"license"` // one or a list
		Name    any `json:"license_name"`
		Link    any `json:"license_link"`
	} `json:"cardData"`
}

// Repo asks for the model id: its commit, its licence, its files. Offline, it
// returns what the cache holds of it.
func (c *Client) Repo(ctx context.Context, id string) (repo Repo, err error) {
	if err := CheckName(id); err != nil {
		return Repo{}, err
	}
	if c.Offline {
		repo, err = c.cached(id)
	} else {
		err = c.again(ctx, func() error {
			repo, err = c.ask(ctx, id)
			return err
		})
	}
	if err != nil {
		return Repo{}, fmt.Errorf("%s: %w", id, err)
	}
	return repo, nil
}

func (c *Client) ask(ctx context.Context, id string) (Repo, error) {
	address := c.Endpoint.JoinPath("api", "models", id, "revision", revision)
	address.RawQuery = "blobs=true"
	response, err := c.send(ctx, http.MethodGet, address.String(), 0)
	if err != nil {
		return Repo{}, err
	}
	defer response.Body.Close()
	if err := c.check(response, http.StatusOK); err != nil {
		return Repo{}, err
	}
	data, err := readAll(response, maxInfo)
	if err != nil {
		return Repo{}, err
	}
	repo, err := parseRepo(id, data)
	if err != nil {
		return Repo{}, fmt.Errorf("%s: %w", response.Request.URL.Host, err)
	}
	return repo, nil
}

// parseRepo reads the hub's description of a model. Files whose names are no paths in
// a folder are left out: nobody can ask for them.
func parseRepo(id string, data []byte) (Repo, error) {
	var i info
	if err := json.Unmarshal(data, &i); err != nil {
		return Repo{}, fmt.Errorf("not a description of a model: %w", err)
	}
	if !isCommit(i.SHA) {
		return Repo{}, fmt.Errorf("the hub tells the commit %.50q, want 40 hexadecimal digits", i.SHA)
	}
	repo := Repo{ID: id, Commit: i.SHA, Licence: i.licence()}
	for _, s := range i.Siblings {
		file := File{Name: s.Name, Size: -1, Digest: s.BlobID}
		if s.Size != nil {
			file.Size = *s.Size
		}
		if s.LFS != nil { // the blob in git is a pointer then
			file.Size, file.Digest = s.LFS.Size, s.LFS.SHA256
		}
		if isFileName(file.Name) {
			repo.Files = append(repo.Files, file)
		}
	}
	return repo, nil
}

// licence joins what the model's page states.
func (i info) licence() string {
	var parts []string
	list, ok := i.Card.License.([]any)
	if !ok {
		list = []any{i.Card.License}
	}
	for _, part := range append(list, i.Card.Name, i.Card.Link) {
		if text, ok := part.(string); ok && text != "" {
			parts = append(parts, text)
		}
	}
	return printable(strings.Join(parts, ", "))
}

// File returns the first of the given files that repo has. Each is a name or, where
// it holds a *, a pattern that one file must match. Where the hub did not tell the
// file's checksum, it is asked again.
func (c *Client) File(ctx context.Context, repo Repo, names ...string) (File, error) {
	for _, name := range names {
		var found []File
		for _, file := range repo.Files {
			if ok, err := path.Match(name, file.Name); err == nil && ok {
				found = append(found, file)
			}
		}
		switch {
		case len(found) > 1:
			return File{}, fmt.Errorf("%s: %d files are called %s, and one of them is meant", repo.ID, len(found), name)
		case len(found) == 1:
			return c.complete(ctx, repo, found[0])
		}
	}
	missing := "has no " + strings.Join(names, " or ")
	if c.Offline {
		return File{}, fmt.Errorf("%s: the cache %s; %w", repo.ID, missing, errOffline)
	}
	return File{}, fmt.Errorf("%s: %s", repo.ID, missing)
}

// complete asks for the checksum and size of a file, if they were not told before:
// some mirrors leave them out of the description.
func (c *Client) complete(ctx context.Context, repo Repo, file File) (File, error) {
	if file.Digest.valid() && file.Size >= 0 {
		return file, nil
	}
	err := c.again(ctx, func() error {
		response, err := c.send(ctx, http.MethodHead, c.address(repo, file.Name), 0)
		if err != nil {
			return err
		}
		response.Body.Close()
		file.Digest, file.Size = etag(response.Header), linkedSize(response)
		if file.Digest.valid() && file.Size >= 0 {
			return nil
		}
		if err := c.check(response, http.StatusOK); err != nil {
			return err
		}
		return fmt.Errorf("%s tells no checksum or no size of it", response.Request.URL.Host)
	})
	if err != nil {
		return File{}, fmt.Errorf("%s: %s: %w", repo.ID, file.Name, err)
	}
	return file, nil
}

// address returns where a file is fetched from.
func (c *Client) address(repo Repo, name string) string {
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return c.Endpoint.JoinPath(append([]string{repo.ID, "resolve", repo.Commit}, parts...)...).String()
}

func isCommit(s string) bool { return regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(s) }

// isFileName tells whether a name is a path below a folder on every system.
func isFileName(name string) bool {
	return fs.ValidPath(name) && name != "." && !strings.ContainsAny(name, `\:`) && printable(name) == name
}
