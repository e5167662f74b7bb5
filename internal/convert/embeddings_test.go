package convert_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/convert"
	"github.com/cutline-go/cutline/internal/weights"
)

// The captions of reference/pickles.py by row.
const threeLines = `{"image":"391895","captions":["A man with a red helmet."],"split":"train"}
{"image":"522418","captions":["A woman cutting a cake."],"split":"train"}
{"image":"391895","captions":["A man riding on a motor bike."],"split":"train"}
`

// TestEmbeddings converts what pickle.dump and torch.save wrote in each layout.
func TestEmbeddings(t *testing.T) {
	noLines := strings.NewReplacer(`"A man with a red helmet."`, "", `"A woman cutting a cake."`, "", `"A man riding on a motor bike."`, "").Replace(threeLines)
	twoLines := `{"image":"391895","captions":["A man with a red helmet.","Another."],"split":"train"}
{"image":"522418","captions":["A woman cutting a cake.","Another."],"split":"train"}
`
	for _, test := range []struct {
		file     string
		texts    bool
		want     convert.FoundEmbeddings // but for the layout
		captions string
	}{
		{"clipcap.pkl", false, convert.FoundEmbeddings{Photos: 3, Width: 4, Type: weights.F16, Captions: 3}, threeLines},
		{"clipcap.pkl", true, convert.FoundEmbeddings{Texts: 3, Width: 4, Type: weights.F16, Captions: 3}, threeLines},
		{"clipcap_protocol2.pkl", false, convert.FoundEmbeddings{Photos: 3, Width: 4, Type: weights.F32, Captions: 3}, threeLines},
		{"clipcap.pt", false, convert.FoundEmbeddings{Photos: 3, Width: 4, Type: weights.F16, Captions: 3}, threeLines},
		{"capdec.pkl", false, convert.FoundEmbeddings{Texts: 3, Width: 4, Type: weights.F32, Captions: 3}, threeLines},
		{"both.pkl", false, convert.FoundEmbeddings{Photos: 3, Texts: 3, Width: 4, Type: weights.F16}, noLines},
		{"cgtgan_images.pkl", false, convert.FoundEmbeddings{Photos: 2, Width: 4, Type: weights.F16, Captions: 4}, twoLines},
		{"cgtgan_pairs.pkl", false, convert.FoundEmbeddings{Photos: 3, Texts: 3, Width: 4, Type: weights.F16}, ""},
		{"cgtgan_sentences.pkl", false, convert.FoundEmbeddings{Captions: 2}, ""},
	} {
		dir := filepath.Join(t.TempDir(), "new", "folder")
		found, err := convert.Embeddings(t.Context(), dir, filepath.Join("testdata", test.file), "", test.texts)
		if err != nil {
			t.Errorf("%s: %v", test.file, err)
			continue
		}
		if found.Layout = ""; found != test.want {
			t.Errorf("%s: found %+v, want %+v", test.file, found, test.want)
		}
		shift := float32(0)
		if test.file == "capdec.pkl" || !test.texts {
			shift = 100
		}
		checkRows(t, filepath.Join(dir, "photos.safetensors"), found.Photos, 0)
		checkRows(t, filepath.Join(dir, "texts.safetensors"), found.Texts, shift)
		if lines, _ := os.ReadFile(filepath.Join(dir, "captions.jsonl")); string(lines) != test.captions {
			t.Errorf("%s: the captions are %s", test.file, lines)
		}
		if lines, _ := os.ReadFile(filepath.Join(dir, "texts.txt")); test.file == "cgtgan_sentences.pkl" && string(lines) != "A man with a red helmet.\nA woman cutting a cake.\n" {
			t.Errorf("%s: the texts are %s", test.file, lines)
		}
	}
}

// checkRows opens a file of rows, whose values are known; none of 0 rows may be there.
func checkRows(t *testing.T, path string, rows int, shift float32) {
	t.Helper()
	if rows == 0 {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is there, though nothing was embedded", path)
		}
		return
	}
	e, err := dataset.OpenEmbeddings(path)
	if err != nil {
		t.Error(err)
		return
	}
	defer e.Close()
	for i := range e.Len() {
		first := shift + float32(i)
		if want := []float32{first, first + 0.125, first + 0.25, first + 0.375}; e.Len() != rows || !slices.Equal(e.Row(i), want) {
			t.Errorf("%s: row %d of %d is %v, want %v", path, i, e.Len(), e.Row(i), want)
		}
	}
}

func TestEmbeddingsRefused(t *testing.T) {
	parent := t.TempDir()
	write := func(name string, content string) string {
		path := filepath.Join(parent, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pickle := func(file, old, new string) string {
		data, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil || !strings.Contains(string(data), old) {
			t.Fatalf("%s: %v, or no %q", file, err, old)
		}
		return write("changed.pkl", strings.ReplaceAll(string(data), old, new))
	}
	for want, path := range map[string]string{
		"no such file":                        filepath.Join(parent, "none.pkl"),
		"not a pickle":                        write("a.txt", "text"),
		"an int, and not one of":              write("int.pkl", "\x80\x04K\x01."),
		"a list, and not one of":              write("list.pkl", "\x80\x04]."),
		"captions[1]: clip_embedding is none": pickle("clipcap.pkl", "h\x01K\x01u", "h\x01K\x09u"),
	} {
		_, err := convert.Embeddings(t.Context(), filepath.Join(parent, "out"), path, "", false)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error is %v, want one line with %q", err, want)
		}
	}
	for name, test := range map[string]struct{ program, want string }{
		"no row":     {"\x80\x04}(" + captions("}X\x07\x00\x00\x00captionX\x01\x00\x00\x00as"), "no embeddings beside the captions"},
		"one of two": {"\x80\x04](}X\x05\x00\x00\x00imageNse.", "[0]"},
		"numbers":    {"\x80\x04](X\x01\x00\x00\x00aK\x01e.", "[1]: an int, not a text"},
	} {
		path := write("bad.pkl", test.program)
		_, err := convert.Embeddings(t.Context(), filepath.Join(parent, "out"), path, "", false)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%s: error is %v, want %q", name, err, test.want)
		}
	}
	if _, err := convert.Embeddings(t.Context(), parent, filepath.Join("testdata", "clipcap.pkl"), "", false); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("over another folder: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(parent, "out*")); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// captions is the end of a dict with one item of captions.
func captions(item string) string { return "X\x08\x00\x00\x00captions]" + item + "au." }
