package hub_test

import (
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/hub"
)

// FuzzDescription holds that whatever a hub tells of a model is refused in one line or
// can be part of a path.
func FuzzDescription(f *testing.F) {
	commit := strings.Repeat("0a", 20)
	for _, seed := range []string{
		`{"sha": "` + commit + `", "siblings": [{"rfilename": "a/b.bin", "size": 3, "blobId": "` + commit + `"}], "cardData": {"license": "mit"}}`,
		`{"sha": "` + commit + `", "siblings": [{"rfilename": "b", "lfs": {"sha256": "` + strings.Repeat("0", 64) + `", "size": 1}}], "cardData": {"license": ["a", 1]}}`,
		`{"sha": "` + commit + `", "siblings": [{"rfilename": "../b"}, {"rfilename": "/b"}, {"rfilename": "a\\b"}, {"rfilename": "c:b"}, {"rfilename": "."}]}`,
		`{"sha": "../..", "siblings": null}`, `[]`, `{`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		repo, err := hub.ParseRepo("a/b", data)
		if err == nil && !hub.WellFormed(repo) {
			t.Errorf("%q is taken as %+v", data, repo)
		}
	})
}
