// Package hubtest is a hub for tests: two servers that behave as the Hugging Face
// hub and its content network do, as far as a client sees.
package hubtest

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Server is a hub. Large files, those of tensors, are redirected to another host, with
// a signature in the address; small ones to another path of the same host.
type Server struct {
	URL string // of the hub, for HF_ENDPOINT
	CDN string // of the content network

	mu       sync.Mutex
	repos    map[string]repo
	requests []Request
	fault    func(http.ResponseWriter, *http.Request) bool
}

// Request is one that a server got.
type Request struct{ Host, Method, Path, Range, Authorization string }

type repo struct {
	commit, licence string
	files           map[string][]byte
}

// New starts both servers, which end with the test.
func New(t testing.TB) *Server {
	s := &Server{repos: make(map[string]repo)}
	hub, cdn := httptest.NewServer(s.handler(s.hub)), httptest.NewServer(s.handler(s.cdn))
	t.Cleanup(hub.Close)
	t.Cleanup(cdn.Close)
	s.URL, s.CDN = hub.URL, cdn.URL
	return s
}

// Add puts a model on the hub and returns its commit.
func (s *Server) Add(id, licence string, files map[string][]byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := sha1.New()
	for _, name := range names(files) {
		fmt.Fprint(sum, name, Digest(name, files[name]))
	}
	commit := hex.EncodeToString(sum.Sum(nil))
	s.repos[id] = repo{commit, licence, files}
	return commit
}

// Files returns the files of a model, to change and Add again.
func (s *Server) Files(id string) map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.repos[id].files)
}

// Fault lets f answer requests before the server does; it returns whether it did.
func (s *Server) Fault(f func(http.ResponseWriter, *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Requests returns the requests so far to both hosts, and forgets them.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.requests
	s.requests = nil
	return got
}

// IsLarge tells whether the hub keeps a file of that name on the content network.
func IsLarge(name string) bool {
	return slices.ContainsFunc([]string{".bin", ".pt", ".safetensors"}, func(end string) bool { return strings.HasSuffix(name, end) })
}

// Digest returns the hub's checksum of a file.
func Digest(name string, data []byte) string {
	if IsLarge(name) {
		sum := sha256.Sum256(data)
		return hex.EncodeToString(sum[:])
	}
	sum := sha1.Sum(slices.Concat(fmt.Appendf(nil, "blob %d\x00", len(data)), data))
	return hex.EncodeToString(sum[:])
}

func names(files map[string][]byte) []string {
	var all []string
	for name := range files {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func (s *Server) handler(answer http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, Request{"http://" + r.Host, r.Method, r.URL.Path, r.Header.Get("Range"), r.Header.Get("Authorization")})
		fault := s.fault
		s.mu.Unlock()
		if fault == nil || !fault(w, r) {
			answer(w, r)
		}
	})
}

func fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Error-Code", code)
	w.Header().Set("X-Error-Message", message)
	w.WriteHeader(status)
}

// hub answers /api/models/ID/revision/main, /ID/resolve/COMMIT/FILE and the path
// that the second redirects small files to.
func (s *Server) hub(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, repo := range s.repos {
		if r.URL.Path == "/api/models/"+id+"/revision/main" {
			describe(w, id, repo)
			return
		}
		for name, data := range repo.files {
			digest := Digest(name, data)
			w.Header().Set("X-Repo-Commit", repo.commit)
			switch r.URL.Path {
			case "/" + id + "/resolve/" + repo.commit + "/" + name:
				w.Header().Set("X-Linked-Etag", strconv.Quote(digest))
				w.Header().Set("X-Linked-Size", strconv.Itoa(len(data)))
				if IsLarge(name) {
					http.Redirect(w, r, s.CDN+"/"+digest+"?Signature="+url.QueryEscape("a+b/c="), http.StatusFound)
				} else {
					http.Redirect(w, r, "/api/resolve-cache/models/"+id+"/"+repo.commit+"/"+name, http.StatusTemporaryRedirect)
				}
				return
			case "/api/resolve-cache/models/" + id + "/" + repo.commit + "/" + name:
				w.Header().Set("ETag", strconv.Quote(digest))
				http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
				return
			}
		}
	}
	if r.Header.Get("Authorization") == "" { // as the hub does, which does not tell whether a model is private
		fail(w, http.StatusUnauthorized, "RepoNotFound", "Invalid username or password.")
		return
	}
	fail(w, http.StatusNotFound, "RepoNotFound", "Repository not found")
}

func describe(w http.ResponseWriter, id string, repo repo) {
	siblings := []map[string]any{}
	for _, name := range names(repo.files) {
		data := repo.files[name]
		file := map[string]any{"rfilename": name, "size": len(data), "blobId": Digest("", data)}
		if IsLarge(name) {
			file["lfs"] = map[string]any{"sha256": Digest(name, data), "size": len(data), "pointerSize": 134}
		}
		siblings = append(siblings, file)
	}
	card := map[string]any{}
	if repo.licence != "" {
		card["license"] = repo.licence
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id": id, "sha": repo.commit, "siblings": siblings, "cardData": card, "gated": false, "lastModified": "2022-01-01T00:00:00.000Z",
	})
}

// cdn answers /DIGEST to whoever bears a signature, and like S3 nobody who bears a
// token as well.
func (s *Server) cdn(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Query().Get("Signature") != "a+b/c=" || r.Header.Get("Authorization") != "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, repo := range s.repos {
		for name, data := range repo.files {
			if r.URL.Path == "/"+Digest(name, data) {
				w.Header().Set("ETag", `"d41d8cd98f00b204e9800998ecf8427e"`) // not of our kind
				http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
				return
			}
		}
	}
	w.WriteHeader(http.StatusNotFound)
}
