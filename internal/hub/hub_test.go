package hub_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cutline-go/cutline/internal/hub"
	"github.com/cutline-go/cutline/internal/hub/hubtest"
)

const id = "owner/model-1.0"

// content returns n bytes that differ from place to place.
func content(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i * i >> 7)
	}
	return data
}

func files() map[string][]byte {
	return map[string][]byte{"config.json": []byte(`{"a": 1}`), "sub dir/notes.txt": []byte("notes\n"), "model.bin": content(1 << 16)}
}

// client returns one that waits for nothing, and the waits that it was asked for.
func client(t *testing.T, s *hubtest.Server) (*hub.Client, *[]time.Duration) {
	t.Helper()
	endpoint, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	waits := new([]time.Duration)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &hub.Client{
		Endpoint: endpoint, Token: "hf_secret", Cache: t.TempDir(), Transport: transport, Stall: time.Minute,
		Wait: func(ctx context.Context, d time.Duration) error { *waits = append(*waits, d); return ctx.Err() },
	}, waits
}

// fetch fetches one file of the model.
func fetch(t *testing.T, c *hub.Client, name string) (path string, reported int64, err error) {
	t.Helper()
	repo, err := c.Repo(t.Context(), id)
	if err != nil {
		return "", 0, err
	}
	file, err := c.File(t.Context(), repo, name)
	if err != nil {
		return "", 0, err
	}
	path, err = c.Fetch(t.Context(), repo, file, func(n int64) { reported += n })
	return path, reported, err
}

// holds holds the file at path to be data.
func holds(t *testing.T, path string, data []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, data) {
		t.Errorf("%s: %d bytes, not the %d that were served", path, len(got), len(data))
	}
}

// TestCacheLayout holds what lies in the cache to be what Hugging Face's programs
// put there.
func TestCacheLayout(t *testing.T) {
	server := hubtest.New(t)
	commit := server.Add(id, "mit", files())
	c, _ := client(t, server)
	for name, data := range files() {
		path, reported, err := fetch(t, c, name)
		if err != nil {
			t.Fatal(err)
		}
		root := filepath.Join(c.Cache, "models--owner--model-1.0")
		if want := filepath.Join(root, "snapshots", commit, name); path != want {
			t.Errorf("path is %s, want %s", path, want)
		}
		holds(t, path, data)
		target, err := os.Readlink(path)
		if up := strings.Repeat("../", 2+strings.Count(name, "/")); err != nil || target != up+"blobs/"+hubtest.Digest(name, data) {
			t.Errorf("%s links to %s, %v", name, target, err)
		}
		if reported != int64(len(data)) {
			t.Errorf("%s: %d bytes reported, want %d", name, reported, len(data))
		}
		holds(t, filepath.Join(root, "refs", "main"), []byte(commit))
	}
	server.Requests()
	if _, reported, err := fetch(t, c, "model.bin"); err != nil || reported != 0 {
		t.Errorf("the second time %d bytes, %v", reported, err)
	}
	if got := server.Requests(); len(got) != 1 || !strings.HasPrefix(got[0].Path, "/api/") {
		t.Errorf("the second time it asked for %v", got)
	}
}

// TestTokenStaysHome holds that the token goes to the hub, and to no host that the
// hub redirects to.
func TestTokenStaysHome(t *testing.T) {
	server := hubtest.New(t)
	server.Add(id, "mit", files())
	c, _ := client(t, server)
	for _, name := range []string{"model.bin", "config.json"} {
		if _, _, err := fetch(t, c, name); err != nil {
			t.Fatal(err)
		}
	}
	hosts := make(map[string]int)
	for _, r := range server.Requests() {
		hosts[r.Host]++
		want := ""
		if r.Host == server.URL {
			want = "Bearer hf_secret"
		}
		if r.Authorization != want {
			t.Errorf("%s %s bears %q, want %q", r.Host, r.Path, r.Authorization, want)
		}
	}
	if hosts[server.URL] == 0 || hosts[server.CDN] != 1 {
		t.Errorf("requests are %v", hosts)
	}
}

// TestResume stops a transfer after each of some lengths, with another client's
// partial file, and holds that only the rest is asked for.
func TestResume(t *testing.T) {
	data := files()["model.bin"]
	for _, have := range []int{0, 1, 1000, len(data) - 1, len(data)} {
		server := hubtest.New(t)
		server.Add(id, "mit", files())
		c, _ := client(t, server)
		partial(t, c, data[:have])
		path, reported, err := fetch(t, c, "model.bin")
		if err != nil {
			t.Fatal(err)
		}
		holds(t, path, data)
		var ranges []string
		for _, r := range server.Requests() {
			if r.Host == server.CDN {
				ranges = append(ranges, r.Range)
			}
		}
		want := []string{fmt.Sprintf("bytes=%d-", have)}
		switch have {
		case 0:
			want = []string{""}
		case len(data):
			want = nil
		}
		if !slices.Equal(ranges, want) || reported != int64(len(data)-have) {
			t.Errorf("with %d bytes it asked for %q and reported %d", have, ranges, reported)
		}
	}
}

// partial puts the beginning of model.bin into the cache.
func partial(t *testing.T, c *hub.Client, data []byte) string {
	t.Helper()
	path := blob(c, files()["model.bin"]) + ".incomplete"
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func blob(c *hub.Client, data []byte) string {
	return filepath.Join(c.Cache, "models--owner--model-1.0", "blobs", hubtest.Digest("model.bin", data))
}

// TestOfflineOpensNoConnection fails at the first connection, whatever is asked for.
func TestOfflineOpensNoConnection(t *testing.T) {
	server := hubtest.New(t)
	server.Add(id, "mit", files())
	c, _ := client(t, server)
	for _, name := range []string{"model.bin", "config.json"} {
		if _, _, err := fetch(t, c, name); err != nil {
			t.Fatal(err)
		}
	}
	c.Offline = true
	c.Transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		t.Error("a connection is opened")
		return nil, errors.New("offline")
	}}
	server.Requests()
	path, _, err := fetch(t, c, "model.bin")
	if err != nil {
		t.Fatal(err)
	}
	holds(t, path, files()["model.bin"])
	_, _, err = fetch(t, c, "sub dir/notes.txt")
	refused(t, err, "owner/model-1.0: the cache has no sub dir/notes.txt; HF_HUB_OFFLINE is set")
	_, err = c.Repo(t.Context(), "owner/other")
	refused(t, err, "owner/other: is not in the cache", "HF_HUB_OFFLINE is set")
	if err := os.WriteFile(blob(c, files()["model.bin"]), content(1 << 16)[1:], 0o666); err != nil {
		t.Fatal(err)
	}
	_, _, err = fetch(t, c, "model.bin")
	refused(t, err, "is damaged", "HF_HUB_OFFLINE is set")
	if got := server.Requests(); len(got) > 0 {
		t.Errorf("requests: %v", got)
	}
}

// refused wants an error of one line that says all of parts, and no secret.
func refused(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %q", parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error is %q, want %q in it", err, part)
		}
	}
	for _, secret := range []string{"\n", "hf_secret", "Signature"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("error is %q, with %q in it", err, secret)
		}
	}
}

// TestTwoAtOnce lets two clients fetch one file into one cache: it comes once.
func TestTwoAtOnce(t *testing.T) {
	server := hubtest.New(t)
	server.Add(id, "mit", files())
	first, _ := client(t, server)
	second, _ := client(t, server)
	second.Cache = first.Cache
	var both sync.WaitGroup
	for _, c := range []*hub.Client{first, second} {
		both.Go(func() {
			repo, err := c.Repo(t.Context(), id)
			if err != nil {
				t.Error(err)
				return
			}
			file, err := c.File(t.Context(), repo, "model.bin")
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := c.Fetch(t.Context(), repo, file, func(int64) {}); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	downloads := 0
	for _, r := range server.Requests() {
		if r.Host == server.CDN {
			downloads++
		}
	}
	if downloads != 1 {
		t.Errorf("%d downloads, want 1", downloads)
	}
	holds(t, blob(first, files()["model.bin"]), files()["model.bin"])
}

// TestDamagedBlob holds that what lies in the cache is not believed either.
func TestDamagedBlob(t *testing.T) {
	server := hubtest.New(t)
	server.Add(id, "mit", files())
	c, _ := client(t, server)
	data := files()["model.bin"]
	path := partial(t, c, nil)
	damaged := slices.Clone(data)
	damaged[len(damaged)/2]++
	if err := os.WriteFile(strings.TrimSuffix(path, ".incomplete"), damaged, 0o666); err != nil {
		t.Fatal(err)
	}
	got, _, err := fetch(t, c, "model.bin")
	if err != nil {
		t.Fatal(err)
	}
	holds(t, got, data)
}

func TestForget(t *testing.T) {
	server := hubtest.New(t)
	server.Add(id, "mit", files())
	c, _ := client(t, server)
	repoOf := func() hub.Repo {
		if _, _, err := fetch(t, c, "model.bin"); err != nil {
			t.Fatal(err)
		}
		repo, err := c.Repo(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return repo
	}
	first := repoOf()
	changed := files()
	changed["config.json"] = []byte(`{"a": 2}`)
	server.Add(id, "mit", changed)
	second := repoOf()
	if freed, err := c.Forget(first); err != nil || freed != 0 {
		t.Errorf("the first commit: %d bytes, %v; the second needs them", freed, err)
	}
	if freed, err := c.Forget(second); err != nil || freed != 1<<16 {
		t.Errorf("the second commit: %d bytes, %v", freed, err)
	}
	if _, err := os.Stat(filepath.Join(c.Cache, "models--owner--model-1.0")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty folder stays: %v", err)
	}
	first.Files[0].Name = "../../../escaped"
	if _, err := c.Forget(first); err == nil {
		t.Error("it would remove a file outside of the cache")
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"gpt2", "clipcap-coco", "openai/clip-vit-base-patch32", "timm/resnet50x4_clip.openai", "a/b"} {
		if err := hub.CheckName(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{
		"", "/", "a/", "/a", "a/b/c", "..", "a/..", "../a", "a/../b", "/etc/passwd", `C:\x`, `a\b`, "a..b", "a--b",
		"-rf", "a-", ".a", "a.", "a b", "a\nb", "a\x00b", "ä", "a%2f..", "a?b", "a#b", "~", "$HOME", strings.Repeat("a", 97),
	} {
		if err := hub.CheckName(name); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want one line", name, err)
		}
	}
}

func TestEnvironment(t *testing.T) {
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	clear := []string{"HF_HOME", "HF_HUB_CACHE", "HF_ASSETS_CACHE", "HF_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE", "XDG_CACHE_HOME"}
	for _, test := range []struct {
		set                            map[string]string
		endpoint, cache, assets, token string
		offline                        bool
	}{
		{nil, "https://huggingface.co", home + "/.cache/huggingface/hub", home + "/.cache/huggingface/assets", "", false},
		{map[string]string{"XDG_CACHE_HOME": "/x"}, "https://huggingface.co", "/x/huggingface/hub", "/x/huggingface/assets", "", false},
		{map[string]string{"HF_HOME": "~/hf", "XDG_CACHE_HOME": "/x", "HF_TOKEN": " t\n"}, "https://huggingface.co", home + "/hf/hub", home + "/hf/assets", "t", false},
		{map[string]string{"HF_HOME": "/h", "HF_HUB_CACHE": "/c", "HF_ASSETS_CACHE": "/a", "HF_ENDPOINT": "http://mirror:1/hf/", "HF_HUB_OFFLINE": "true"},
			"http://mirror:1/hf", "/c", "/a", "", true},
		{map[string]string{"HF_HOME": "/h", "HF_HUB_OFFLINE": "0"}, "https://huggingface.co", "/h/hub", "/h/assets", "", false},
	} {
		for _, name := range clear {
			t.Setenv(name, test.set[name])
		}
		c, err := hub.FromEnvironment()
		if err != nil {
			t.Fatal(err)
		}
		assets, err := hub.Assets()
		if err != nil {
			t.Fatal(err)
		}
		if c.Endpoint.String() != test.endpoint || c.Cache != test.cache || assets != test.assets || c.Token != test.token || c.Offline != test.offline {
			t.Errorf("%v: %s %s %s %q %v", test.set, c.Endpoint, c.Cache, assets, c.Token, c.Offline)
		}
	}
	for _, address := range []string{"huggingface.co", "ftp://x", "https://", "https://user:secret@host", "http://a b"} {
		t.Setenv("HF_ENDPOINT", address)
		if _, err := hub.FromEnvironment(); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
