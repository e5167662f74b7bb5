package hub

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// Digest is the hub's checksum of a file, and its name in the cache: of large files
// the SHA-256, of small ones git's, the SHA-1 of a header and the content. In
// hexadecimal digits, of which there are 64 or 40.
type Digest string

func (d Digest) valid() bool {
	return regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`).MatchString(string(d))
}

func (d Digest) kind() string {
	if len(d) == 2*sha1.Size {
		return "git's SHA-1"
	}
	return "SHA-256"
}

// check tells whether the file at path is of the given size and checksum.
func (d Digest) check(path string, size int64) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != size {
		return fmt.Errorf("%d bytes, want %d", info.Size(), size)
	}
	var sum hash.Hash
	if len(d) == 2*sha1.Size {
		sum = sha1.New()
		fmt.Fprintf(sum, "blob %d\x00", size)
	} else {
		sum = sha256.New()
	}
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != string(d) {
		return fmt.Errorf("%s is %s, want %s", d.kind(), got, d)
	}
	return nil
}

// etag returns the checksum that a header tells.
func etag(h http.Header) Digest {
	value := h.Get("X-Linked-Etag")
	if value == "" {
		value = h.Get("ETag")
	}
	return Digest(strings.Trim(strings.TrimPrefix(value, "W/"), `"`))
}

// linkedSize returns the size that an answer tells, -1 where it tells none.
func linkedSize(r *http.Response) int64 {
	if size, err := strconv.ParseInt(r.Header.Get("X-Linked-Size"), 10, 64); err == nil && size >= 0 {
		return size
	}
	return r.ContentLength
}
