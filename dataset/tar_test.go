package dataset_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cutline-go/cutline/dataset"
)

// entry returns a regular file's header for content.
func entry(name, content string) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: 0o644}
}

// archive packs headers; those with a size are filled with the letter x.
func archive(t testing.TB, headers ...*tar.Header) []byte {
	t.Helper()
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	for _, h := range headers {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, strings.Repeat("x", int(h.Size))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func openTar(t testing.TB, data []byte) (*dataset.Tar, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "photos.tar")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	archive, err := dataset.OpenTar(path)
	if err == nil {
		t.Cleanup(func() { _ = archive.Close() })
	} else if !strings.HasPrefix(err.Error(), path+": ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("the error does not name the file, in one line: %v", err)
	}
	return archive, err
}

// TestTarRefuses gives archives of which an honest collection of photos has none.
func TestTarRefuses(t *testing.T) {
	good := entry("a.jpg", "12345")
	link := func(kind byte) *tar.Header { return &tar.Header{Typeflag: kind, Name: "l.jpg", Linkname: "a.jpg"} }
	whole := archive(t, good, entry("b.jpg", strings.Repeat("1", 2000)))
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"leads out", archive(t, good, entry("../b.jpg", "1")), `entry "../b.jpg": its name leads out`},
		{"leads out from within", archive(t, good, entry("c/../../b.jpg", "1")), "its name leads out"},
		{"absolute", archive(t, good, entry("/etc/b.jpg", "1")), `entry "/etc/b.jpg": its name leads out`},
		{"symbolic link", archive(t, good, link(tar.TypeSymlink)), `entry "l.jpg": not a regular file`},
		{"hard link", archive(t, good, link(tar.TypeLink)), `entry "l.jpg": not a regular file`},
		{"device", archive(t, good, &tar.Header{Typeflag: tar.TypeChar, Name: "d"}), `entry "d": not a regular file`},
		{"twice", archive(t, good, entry("b.jpg", "1"), good), `entry "a.jpg": comes twice`},
		{"twice, spelt differently", archive(t, good, entry("./b/../a.jpg", "1")), `entry "./b/../a.jpg": comes twice`},
		{"sparse", sparse(t), "sparse files are not supported"},
		{"cut in a file", whole[:len(whole)-2500], `entry "b.jpg": 2000 bytes, but the archive ends after`},
		{"cut in a header", whole[:1024+300], "unexpected EOF"},
		{"size past the end", oversized(whole), `entry "a.jpg": 8589934591 bytes, but the archive ends after`},
		{"damaged header", append([]byte("X"), whole[1:]...), "invalid tar header"},
		{"not an archive", []byte(strings.Repeat("photo", 300)), "invalid tar header"},
		{"empty file", nil, "no files in the archive"},
		{"folders alone", archive(t, &tar.Header{Typeflag: tar.TypeDir, Name: "a/"}), "no files in the archive"},
	} {
		if _, err := openTar(t, test.data); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want %q", test.name, err, test.want)
		}
	}
	if _, err := dataset.OpenTar(filepath.Join(t.TempDir(), "missing.tar")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing archive: %v", err)
	}
}

// oversized claims the largest size that the field holds for the first entry.
func oversized(data []byte) []byte {
	data = slices.Clone(data)
	copy(data[124:136], "77777777777\x00")
	copy(data[148:156], "        ")
	sum := 0
	for _, b := range data[:512] {
		sum += int(b)
	}
	copy(data[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return data
}

// sparse returns an archive with a file in GNU's PAX form for holes: what lies in the
// archive is shorter than the file. Go's writer does not make one, so a record of the
// same length is renamed.
func sparse(t *testing.T) []byte {
	header := entry("s.jpg", "12345")
	header.PAXRecords = map[string]string{
		"GNU.spArse.major": "0", "GNU.spArse.minor": "1", "GNU.spArse.size": "9", "GNU.spArse.numblocks": "1", "GNU.spArse.map": "4,5",
	}
	return bytes.ReplaceAll(archive(t, header), []byte("spArse"), []byte("sparse"))
}

// TestTarNames reads every way to write a long name, and what else archives hold.
func TestTarNames(t *testing.T) {
	long := strings.Repeat("folder/", 60) + "photo.jpg"
	ustar := strings.Repeat("f/", 60) + "photo.jpg"
	plain, pax, gnu, old, unicode := entry("./a.jpg", "12345"), entry("pax/"+long, "123"), entry("gnu/"+long, "1234"), entry(ustar, "12"), entry("ü.jpg", "1")
	pax.Format, gnu.Format, old.Format = tar.FormatPAX, tar.FormatGNU, tar.FormatUSTAR
	data := archive(t,
		&tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": "revision"}},
		&tar.Header{Typeflag: tar.TypeDir, Name: "pax/"}, plain, pax, gnu, old, unicode, entry("empty.jpg", ""))
	a, err := openTar(t, data)
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string]int{"a.jpg": 5, "pax/" + long: 3, "gnu/" + long: 4, ustar: 2, "ü.jpg": 1, "empty.jpg": 0}
	if len(a.Names()) != len(sizes) || !slices.IsSorted(a.Names()) {
		t.Errorf("names are %q", a.Names())
	}
	for name, size := range sizes {
		if got, err := read(a, name); err != nil || got != strings.Repeat("x", size) {
			t.Errorf("%s: %q, %v; want %d letters", name, got, err, size)
		}
	}
	for _, name := range []string{"", ".", "./a.jpg", "pax", "b.jpg"} {
		if _, err := a.Open(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("opening %q: %v", name, err)
		}
	}
}

func read(photos dataset.Photos, name string) (string, error) {
	file, err := photos.Open(name)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(file)
	return string(data), errors.Join(err, file.Close())
}

// TestTarConcurrently reads files of different contents from many goroutines.
func TestTarConcurrently(t *testing.T) {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	contents := make(map[string]string)
	for i := range 50 {
		name := fmt.Sprintf("%d.jpg", i)
		contents[name] = strings.Repeat(name, 1+100*i)
		if err := w.WriteHeader(entry(name, contents[name])); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, contents[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := openTar(t, buffer.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for name, want := range contents { // each goroutine in an order of its own
				if got, err := read(a, name); err != nil || got != want {
					t.Errorf("%s: %d bytes, %v; want %d", name, len(got), err, len(want))
				}
			}
		})
	}
	wait.Wait()
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "photos"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"photos/a.jpg": "a", "outside.jpg": "b"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := read(dataset.Folder(dir), "photos/a.jpg"); got != "a" || err != nil {
		t.Errorf("a photo in a folder below: %q, %v", got, err)
	}
	photos := dataset.Folder(filepath.Join(dir, "photos"))
	if got, err := read(photos, "a.jpg"); got != "a" || err != nil {
		t.Errorf("a photo: %q, %v", got, err)
	}
	if _, err := photos.Open("b.jpg"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "b.jpg") {
		t.Errorf("a photo that is not there: %v", err)
	}
	for _, name := range []string{"../outside.jpg", filepath.Join(dir, "outside.jpg"), "../photos/a.jpg", ""} {
		if _, err := photos.Open(name); err == nil {
			t.Errorf("opening %q succeeds", name)
		}
	}
}
