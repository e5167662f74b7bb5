package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Fetch puts a file into the cache, if it is not there, and returns its path. What
// lay there already is held against its checksum, too. Each piece that comes is
// reported in bytes, less than 0 when a download begins anew.
//
// A download that was stopped, by whatever, goes on where it stopped.
func (c *Client) Fetch(ctx context.Context, repo Repo, file File, report func(bytes int64)) (string, error) {
	path, err := c.fetch(ctx, repo, file, report)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s: %s: %w", repo.ID, file.Name, err)
	}
	return path, err
}

func (c *Client) fetch(ctx context.Context, repo Repo, file File, report func(bytes int64)) (string, error) {
	if !file.Digest.valid() || !isCommit(repo.Commit) || !isFileName(file.Name) {
		return "", errors.New("not a file that File found")
	}
	blob := c.blob(repo.ID, file.Digest)
	if err := file.Digest.check(blob, file.Size); err != nil {
		if c.Offline && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%s is damaged: %w; %w", blob, err, errOffline)
		}
		if err := c.download(ctx, c.address(repo, file.Name), blob, file, report); err != nil {
			return "", err
		}
	}
	return c.link(repo, file)
}

// Missing returns how many bytes Fetch would have to bring.
func (c *Client) Missing(repo Repo, file File) int64 {
	blob := c.blob(repo.ID, file.Digest)
	if info, err := os.Stat(blob); err == nil && info.Size() == file.Size {
		return 0
	}
	if info, err := os.Stat(blob + incomplete); err == nil && info.Size() <= file.Size {
		return file.Size - info.Size()
	}
	return file.Size
}

// incomplete ends the name of a blob that is on its way.
const incomplete = ".incomplete"

// download brings a blob, alone among the programs that use the cache.
func (c *Client) download(ctx context.Context, address, blob string, file File, report func(int64)) error {
	if c.Offline {
		return errOffline
	}
	lock := filepath.Join(c.Cache, ".locks", filepath.Base(filepath.Dir(filepath.Dir(blob))), filepath.Base(blob)+".lock")
	for _, dir := range []string{filepath.Dir(lock), filepath.Dir(blob)} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
	}
	held := flock.New(lock)
	if _, err := held.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return err
	}
	defer held.Unlock()
	if file.Digest.check(blob, file.Size) == nil { // another program was faster
		return nil
	}
	partial := blob + incomplete
	err := c.again(ctx, func() error { return c.transfer(ctx, address, partial, file.Size, report) })
	if err != nil {
		return err
	}
	if err := file.Digest.check(partial, file.Size); err != nil {
		_ = os.Remove(partial) // nothing can be built on it
		return fmt.Errorf("%w: what came is not what the hub describes, and was thrown away; try again", err)
	}
	return os.Rename(partial, blob)
}

// transfer brings what is missing of partial, in one request.
func (c *Client) transfer(ctx context.Context, address, partial string, size int64, report func(int64)) (err error) {
	out, err := os.OpenFile(partial, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	begin, err := out.Seek(0, io.SeekEnd)
	if err != nil || begin == size {
		return err
	}
	if begin > size { // of another file
		if begin, err = 0, out.Truncate(0); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	response, err := c.send(ctx, http.MethodGet, address, begin)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if begin, err = c.restart(response, out, begin, report); err != nil {
		return err
	}
	stall := time.AfterFunc(c.Stall, func() { cancel(fmt.Errorf("nothing came for %s", c.Stall)) })
	defer stall.Stop()
	body := &watched{response.Body, func(n int64) { stall.Reset(c.Stall); report(n) }}
	n, err := io.Copy(out, io.LimitReader(body, size-begin+1))
	return c.outcome(ctx, response, out, err, n, size-begin)
}

// restart throws away what came before if the answer does not continue it, and
// returns where the body begins.
func (c *Client) restart(r *http.Response, out *os.File, begin int64, report func(int64)) (int64, error) {
	unfit := r.StatusCode == http.StatusRequestedRangeNotSatisfiable
	var first int64
	if r.StatusCode == http.StatusPartialContent {
		_, err := fmt.Sscanf(r.Header.Get("Content-Range"), "bytes %d-", &first)
		unfit = err != nil || first != begin
	}
	if begin > 0 && (unfit || r.StatusCode == http.StatusOK) {
		if err := out.Truncate(0); err != nil {
			return 0, err
		}
		report(-begin)
		begin = 0
	}
	if unfit {
		return 0, &passing{error: fmt.Errorf("%s answers with a range that nobody asked for", r.Request.URL.Host)}
	}
	return begin, c.check(r, http.StatusOK, http.StatusPartialContent)
}

// outcome judges a transfer of n bytes of want.
func (c *Client) outcome(ctx context.Context, r *http.Response, out *os.File, err error, n, want int64) error {
	var writing *fs.PathError
	switch host := r.Request.URL.Host; {
	case errors.As(err, &writing):
		return fmt.Errorf("%w; what came is kept, and the next attempt goes on from there", err)
	case err != nil && context.Cause(ctx) != nil:
		err = context.Cause(ctx)
		fallthrough
	case err != nil:
		return &passing{error: fmt.Errorf("%s: the connection broke: %w", host, err), advanced: n > 0}
	case n < want:
		return &passing{error: fmt.Errorf("%s: the connection broke after %d of %d bytes", host, n, want), advanced: n > 0}
	case n > want:
		return errors.Join(out.Truncate(0), fmt.Errorf("%s sends more than the %d bytes that the hub describes", host, want))
	}
	return out.Sync()
}

// watched tells of each piece that is read.
type watched struct {
	io.Reader
	report func(int64)
}

// Read reads a piece.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.report(int64(n))
	return n, err
}
