package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cutline-go/cutline/internal/hub"
	"github.com/cutline-go/cutline/internal/hub/hubtest"
)

// isFile tells whether a request is for what model.bin holds.
func isFile(s *hubtest.Server, r *http.Request) bool { return "http://"+r.Host == s.CDN }

// TestBrokenConnections breaks each transfer after some bytes: all of the file comes
// in the end, each byte once.
func TestBrokenConnections(t *testing.T) {
	server := hubtest.New(t)
	server.Add(id, "mit", files())
	data := files()["model.bin"]
	const piece = 10_000
	server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if !isFile(server, r) {
			return false
		}
		var begin int
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &begin)
		if len(data)-begin <= piece {
			return false
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(data)-begin))
		if begin > 0 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", begin, len(data)-1, len(data)))
			w.WriteHeader(http.StatusPartialContent)
		}
		_, _ = w.Write(data[begin : begin+piece])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	c, waits := client(t, server)
	path, reported, err := fetch(t, c, "model.bin")
	if err != nil {
		t.Fatal(err)
	}
	holds(t, path, data)
	if reported != int64(len(data)) || len(*waits) != len(data)/piece {
		t.Errorf("%d bytes reported after %v", reported, *waits)
	}
}

// TestStalled holds that a server that says nothing more is left, and asked again.
func TestStalled(t *testing.T) {
	server := hubtest.New(t)
	server.Add(id, "mit", files())
	data := files()["model.bin"]
	stalled := false
	server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if !isFile(server, r) || stalled {
			return false
		}
		stalled = true
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data[:1000])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	})
	c, waits := client(t, server)
	c.Stall = 50 * time.Millisecond
	path, _, err := fetch(t, c, "model.bin")
	if err != nil {
		t.Fatal(err)
	}
	holds(t, path, data)
	if !stalled || len(*waits) != 1 {
		t.Errorf("stalled is %v, waits %v", stalled, *waits)
	}
}

// TestCancelled holds that a download that was interrupted leaves what came of it.
func TestCancelled(t *testing.T) {
	server := hubtest.New(t)
	server.Add(id, "mit", files())
	data := files()["model.bin"]
	server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if !isFile(server, r) {
			return false
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data[:1000])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	})
	c, _ := client(t, server)
	repo, err := c.Repo(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	file, err := c.File(t.Context(), repo, "*.bin")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	came := int64(0)
	_, err = c.Fetch(ctx, repo, file, func(n int64) {
		if came += n; came == 1000 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if missing := c.Missing(repo, file); missing != int64(len(data)-1000) {
		t.Errorf("%d bytes are missing, want %d", missing, len(data)-1000)
	}
	server.Fault(nil)
	path, reported, err := fetch(t, c, "model.bin")
	if err != nil || reported != int64(len(data)-1000) {
		t.Errorf("then %d bytes, %v", reported, err)
	}
	holds(t, path, data)
}

// TestBusy holds that 429 and 503 are waited for as long as the server asks, and no
// longer than is bearable.
func TestBusy(t *testing.T) {
	for _, test := range []struct {
		status     int
		retryAfter string
		times      int
		waits      []time.Duration
		want       string
	}{
		{http.StatusTooManyRequests, "7", 1, []time.Duration{7 * time.Second}, ""},
		{http.StatusTooManyRequests, "", 3, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, ""},
		{http.StatusServiceUnavailable, "soon", 2, []time.Duration{time.Second, 2 * time.Second}, ""},
		{http.StatusTooManyRequests, "3", 100, []time.Duration{3 * time.Second, 3 * time.Second, 3 * time.Second}, "429 Too Many Requests; given up after 4 attempts"},
		{http.StatusTooManyRequests, "3600", 100, nil, "try again in 1h0m0s"},
		{http.StatusInternalServerError, "", 100, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, "500 Internal Server Error; given up"},
	} {
		for _, where := range []string{"/api/models/", "/" + id + "/resolve/", "cdn"} {
			server := hubtest.New(t)
			server.Add(id, "mit", files())
			left := test.times
			server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
				if left == 0 || (!strings.HasPrefix(r.URL.Path, where) && (where != "cdn" || !isFile(server, r))) {
					return false
				}
				left--
				if test.retryAfter != "" {
					w.Header().Set("Retry-After", test.retryAfter)
				}
				w.WriteHeader(test.status)
				return true
			})
			c, waits := client(t, server)
			path, _, err := fetch(t, c, "model.bin")
			if !slices.Equal(*waits, test.waits) {
				t.Errorf("%d %q at %s: waits %v, want %v", test.status, test.retryAfter, where, *waits, test.waits)
			}
			if test.want != "" {
				refused(t, err, id, test.want)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			holds(t, path, files()["model.bin"])
		}
	}
	for value, want := range map[string]bool{time.Now().Add(time.Hour).UTC().Format(http.TimeFormat): true, "-3": false, "": false} {
		if got := hub.RetryAfter(value); (got > 50*time.Minute) != want {
			t.Errorf("Retry-After %q is %s", value, got)
		}
	}
}

// TestRefusals is a table of what cannot be got: one line that names the model and
// tells what to do, at once, with nothing in the cache under its name.
func TestRefusals(t *testing.T) {
	answer := func(status int, header ...string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
		}
	}
	body := func(data []byte) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }
	}
	description := func(change func(map[string]any)) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			told := map[string]any{"sha": strings.Repeat("a", 40), "siblings": []map[string]any{}}
			change(told)
			_ = json.NewEncoder(w).Encode(told)
		}
	}
	other := slices.Clone(files()["model.bin"])
	other[0]++
	for _, test := range []struct {
		name, token, where string
		answer             func(http.ResponseWriter, *http.Request)
		want               []string
	}{
		{"401 without token", "", "/api/", answer(401), []string{"answers 401 Unauthorized", "HF_TOKEN"}},
		{"401 with token", "hf_secret", "/api/", answer(401), []string{"HF_TOKEN holds no token that may read it"}},
		{"403", "hf_secret", "cdn", answer(403), []string{"model.bin", "403 Forbidden"}},
		{"gated", "hf_secret", "/owner", answer(403, "X-Error-Code", "GatedRepo", "X-Error-Message", "Access is restricted\t"), []string{"Access is restricted; agree to its terms"}},
		{"404 model", "hf_secret", "/api/", answer(404, "X-Error-Message", "Repository not found"), []string{"404 Repository not found"}},
		{"404 file", "hf_secret", "cdn", answer(404), []string{"model.bin", "404 Not Found"}},
		{"redirects in a circle", "hf_secret", "/owner", answer(302, "Location", "/owner/again"), []string{"redirects more than 10 times"}},
		{"redirect to nowhere", "hf_secret", "/owner", answer(302), []string{"302"}},
		{"redirect to a file", "hf_secret", "/owner", answer(302, "Location", "file:///etc/passwd"), []string{"an address of file, not https"}},
		{"wrong checksum", "hf_secret", "cdn", body(other), []string{"model.bin", "SHA-256 is", "thrown away; try again"}},
		{"too long", "hf_secret", "cdn", body(append(content(1<<16), 1)), []string{"sends more than the 65536 bytes"}},
		{"no JSON", "hf_secret", "/api/", body([]byte("<html>")), []string{"not a description of a model"}},
		{"endless description", "hf_secret", "/api/", body(make([]byte, 16<<20+1)), []string{"more than 16777216 bytes"}},
		{"commit", "hf_secret", "/api/", description(func(m map[string]any) { m["sha"] = "../../../../tmp" }), []string{"40 hexadecimal digits"}},
		{"no files", "hf_secret", "/api/", description(func(map[string]any) {}), []string{"has no model.bin"}},
		{"checksum is a path", "hf_secret", "/api/", description(func(m map[string]any) {
			m["siblings"] = []map[string]any{{"rfilename": "model.bin", "size": 1, "blobId": "../../x"}}
		}), []string{"model.bin", "404"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := hubtest.New(t)
			server.Add(id, "mit", files())
			server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasPrefix(r.URL.Path, test.where) || (test.where == "cdn" && isFile(server, r)) {
					test.answer(w, r)
					return true
				}
				return false
			})
			c, waits := client(t, server)
			c.Token = test.token
			_, _, err := fetch(t, c, "model.bin")
			refused(t, err, append(test.want, id+": ")...)
			if len(*waits) > 0 {
				t.Errorf("it waited %v", *waits)
			}
			for _, path := range []string{blob(c, files()["model.bin"]), blob(c, other)} {
				if _, err := os.Stat(path); err == nil {
					t.Errorf("%s exists", path)
				}
			}
			server.Fault(nil)
			path, _, err := fetch(t, c, "model.bin")
			if err != nil {
				t.Fatalf("afterwards: %v", err)
			}
			holds(t, path, files()["model.bin"])
		})
	}
}

// TestRanges answers a request for the rest of a file in each way that a server may.
func TestRanges(t *testing.T) {
	data := files()["model.bin"]
	for _, test := range []struct {
		name  string
		fault func(w http.ResponseWriter, r *http.Request) bool
		waits int
	}{
		{"as asked", func(http.ResponseWriter, *http.Request) bool { return false }, 0},
		{"all of it", func(w http.ResponseWriter, _ *http.Request) bool { _, _ = w.Write(data); return true }, 0},
		{"another range", func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Range") == "" {
				return false
			}
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 5-%d/%d", len(data)-1, len(data)))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(data[5:])
			return true
		}, 1},
		{"416", func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Range") == "" {
				return false
			}
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return true
		}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := hubtest.New(t)
			server.Add(id, "mit", files())
			server.Fault(func(w http.ResponseWriter, r *http.Request) bool { return isFile(server, r) && test.fault(w, r) })
			c, waits := client(t, server)
			partial(t, c, data[:100])
			path, _, err := fetch(t, c, "model.bin")
			if err != nil {
				t.Fatal(err)
			}
			holds(t, path, data)
			if len(*waits) != test.waits {
				t.Errorf("waits %v, want %d", *waits, test.waits)
			}
		})
	}
	t.Run("longer than the file", func(t *testing.T) {
		server := hubtest.New(t)
		server.Add(id, "mit", files())
		c, _ := client(t, server)
		partial(t, c, content(1<<17))
		path, _, err := fetch(t, c, "model.bin")
		if err != nil {
			t.Fatal(err)
		}
		holds(t, path, data)
	})
}

// TestMirror leaves checksums and sizes out of the description, as some mirrors do:
// the answers' headers tell them.
func TestMirror(t *testing.T) {
	server := hubtest.New(t)
	commit := server.Add(id, "mit", files())
	server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/api/models/") {
			return false
		}
		fmt.Fprintf(w, `{"sha": %q, "siblings": [{"rfilename": "model.bin"}, {"rfilename": "config.json"}, {"rfilename": "../up"}, {"rfilename": "/up"}, {"rfilename": "a\\b"}]}`, commit)
		return true
	})
	c, _ := client(t, server)
	for _, name := range []string{"model.bin", "config.json"} {
		path, _, err := fetch(t, c, name)
		if err != nil {
			t.Fatal(err)
		}
		holds(t, path, files()[name])
	}
	for _, r := range server.Requests() {
		if r.Method == http.MethodHead && r.Host == server.CDN {
			t.Errorf("a HEAD went to %s", r.Path)
		}
	}
	repo, err := c.Repo(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if len(repo.Files) != 2 {
		t.Errorf("files are %v, want the two whose names are paths in a folder", repo.Files)
	}
	_, err = c.File(t.Context(), hub.Repo{ID: id, Files: []hub.File{{Name: "a.pt"}, {Name: "b.pt"}}}, "c.pt", "*.pt")
	refused(t, err, "2 files are called *.pt")
}

// TestLicences reads what pages state, in the forms that they have.
func TestLicences(t *testing.T) {
	for card, want := range map[string]string{
		`{"license": "mit"}`:                 "mit",
		`{"license": ["mit", "apache-2.0"]}`: "mit, apache-2.0",
		`{"license": null}`:                  "",
		`{}`:                                 "",
		`{"license": "a\nb\u001b[31m"}`:      "ab[31m",
		`{"license": {"a": 1}}`:              "",
		`{"license": "other", "license_name": "x", "license_link": "https://x"}`: "other, x, https://x",
	} {
		server := hubtest.New(t)
		server.Fault(func(w http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprintf(w, `{"sha": %q, "cardData": %s}`, strings.Repeat("a", 40), card)
			return true
		})
		c, _ := client(t, server)
		repo, err := c.Repo(t.Context(), id)
		if err != nil || repo.Licence != want {
			t.Errorf("%s: %q, %v, want %q", card, repo.Licence, err, want)
		}
	}
}

// TestUnencryptedRedirect holds that an encrypted hub cannot send us to a host
// that is not.
func TestUnencryptedRedirect(t *testing.T) {
	server := hubtest.New(t)
	server.Add(id, "mit", files())
	c, _ := client(t, server)
	c.Endpoint.Scheme = "https"
	plain := c.Transport
	c.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		r.URL.Scheme = "http" // stands in for a certificate
		return plain.RoundTrip(r)
	})
	server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, server.CDN, http.StatusFound)
		return true
	})
	_, err := c.Repo(t.Context(), id)
	refused(t, err, "an address of http, not https")
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
