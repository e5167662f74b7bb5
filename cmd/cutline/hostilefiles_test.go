package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// hostileFiles is the table.
func hostileFiles(t testing.TB) []hostile {
	model := modelFiles(t)
	return slices.Concat(hostilePickles(t), hostileArchives(t), hostileTensors(), hostilePictures(t), hostileTexts(model))
}

// torchZip packs a pickle as torch.save does.
func torchZip(t testing.TB, pickle string) []byte {
	return zipOf(t, zip.Deflate, "m/data.pkl", pickle, "m/version", "3\n")
}

// zipOf packs names and contents, in turns.
func zipOf(t testing.TB, method uint16, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		f, err := w.CreateHeader(&zip.FileHeader{Name: files[i], Method: method})
		if err == nil {
			_, err = io.WriteString(f, files[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// hostilePickles are programs for Python's stack machine, bare and in an archive.
func hostilePickles(t testing.TB) []hostile {
	var all []hostile
	for name, pickle := range map[string]string{
		"string of 2 GiB in 14 bytes": "\x80\x02X\x00\x00\x00\x80123456.",
		"bytes of 2^63":               "\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f1234.",
		"number of 2 GiB":             "\x80\x02\x8b\xff\xff\xff\x7f1234.",
		"frame of 2^64":               "\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xffN.",
		"list in itself":              "\x80\x02]q\x00h\x00a.",
		"dict in itself":              "\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.",
		"lists in lists":              "\x80\x02" + strings.Repeat("]", 60000) + strings.Repeat("a", 59999) + ".",
		"tuples in tuples":            "\x80\x02)" + strings.Repeat("\x85", 1<<20) + ".",
		"each tuple twice":            "\x80\x02)" + strings.Repeat("q\x00h\x00\x86", 1<<15) + ".",
		"memo without entry":          "\x80\x02h\x07.",
		"memo far away":               "\x80\x02j\xff\xff\xff\xff.",
		"memo at the end of numbers":  "\x80\x02Nr\xff\xff\xff\xff.",
		"memo of a million":           "\x80\x04N" + strings.Repeat("\x94", 1<<20) + ".",
		"marks":                       "\x80\x02" + strings.Repeat("(", 1<<20) + ".",
		"system":                      "\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.",
	} {
		all = append(all,
			hostile{"pickle: " + name, []byte(pickle), readWeights},
			hostile{"torch: " + name, torchZip(t, pickle), readWeights},
			hostile{"document frequencies: " + name, []byte(pickle), readFrequencies})
	}
	slices.SortFunc(all, func(a, b hostile) int { return strings.Compare(a.name, b.name) })
	return all
}

// hostileArchives are zip files that unpack to too much, and archives whose entries
// lead elsewhere.
func hostileArchives(t testing.TB) []hostile {
	nops := strings.Repeat("N0", 100<<20/2)
	overlapping := zipOf(t, zip.Store, "m/data.pkl", "\x80\x02}.", "m/data/0", strings.Repeat("1", 1000))
	central := bytes.Index(overlapping, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(overlapping[central+20:], 1<<31) // of the first entry, packed
	binary.LittleEndian.PutUint32(overlapping[central+24:], 1<<31) // and unpacked
	var crowd []string
	for i := range 100_000 {
		crowd = append(crowd, fmt.Sprintf("m/%d", i), "")
	}
	link := func(kind byte, name, target string) tar.Header {
		return tar.Header{Typeflag: kind, Name: name, Linkname: target}
	}
	return []hostile{
		{"zip bomb: 100 MiB of pickle", torchZip(t, nops), readWeights},
		{"zip bomb: 4 GiB claimed", claimed(torchZip(t, nops), 1<<32-2), readWeights},
		{"zip: entry longer than the file", overlapping, readWeights},
		{"zip: 100,000 entries", zipOf(t, zip.Store, crowd...), readWeights},
		{"zip: entry ../", zipOf(t, zip.Store, "m/data.pkl", "\x80\x02}.", "m/../../x", "1"), readWeights},
		{"zip: entry /etc", zipOf(t, zip.Store, "/etc/data.pkl", "\x80\x02}."), readWeights},
		{`zip: entry ..\`, zipOf(t, zip.Store, `m/data.pkl`, "\x80\x02}.", `m\..\..\x`, "1"), readWeights},
		{"tar: symbolic link", tarOf(t, link(tar.TypeSymlink, "a.jpg", "/etc/passwd")), readTar},
		{"tar: hard link", tarOf(t, link(tar.TypeLink, "a.jpg", "../b.jpg")), readTar},
		{"tar: device", tarOf(t, tar.Header{Typeflag: tar.TypeChar, Name: "a.jpg"}), readTar},
		{"tar: entry ../", tarOf(t, tar.Header{Typeflag: tar.TypeReg, Name: "../a.jpg"}), readTar},
		{"tar: entry /etc", tarOf(t, tar.Header{Typeflag: tar.TypeReg, Name: "/etc/a.jpg"}), readTar},
		{"tar: shards with a link", tarOf(t, link(tar.TypeSymlink, "a.jpg", "/etc/passwd")), readCaptions},
	}
}

// claimed changes the length that a zip file claims for its first entry unpacked.
func claimed(file []byte, size uint32) []byte {
	central := bytes.Index(file, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(file[central+24:], size)
	return file
}

func tarOf(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// hostileTensors are safetensors files.
func hostileTensors() []hostile {
	file := func(header string, data int) []byte {
		out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
		return append(append(out, header...), make([]byte, data)...)
	}
	tensor := func(name, shape string, begin, end int) string {
		return fmt.Sprintf(`"%s":{"dtype":"I8","shape":[%s],"data_offsets":[%d,%d]}`, name, shape, begin, end)
	}
	keys := func(n int, entry func(i int) string) string {
		var b strings.Builder
		b.WriteString("{" + entry(0))
		for i := range n - 1 {
			b.WriteString("," + entry(i+1))
		}
		return b.String() + "}"
	}
	million := keys(1_000_000, func(i int) string { return tensor(fmt.Sprintf("%x", i), "", i, i+1) })
	metadata := `{"__metadata__":` + keys(1_000_000, func(i int) string { return fmt.Sprintf(`"%x":"1"`, i) }) + "}"
	var all []hostile
	for name, content := range map[string][]byte{
		"10^6 tensors":       file(million, 1_000_000),
		"10^6 metadata":      file(metadata, 0),
		"header of 2^63":     append(binary.LittleEndian.AppendUint64(nil, 1<<63), "{}"...),
		"overlapping":        file("{"+tensor("a", "8", 0, 8)+","+tensor("b", "8", 4, 12)+"}", 12),
		"the same bytes":     file("{"+tensor("a", "8", 0, 8)+","+tensor("b", "8", 0, 8)+"}", 8),
		"negative offset":    file("{"+tensor("a", "8", -8, 0)+"}", 8),
		"negative size":      file("{"+tensor("a", "-8", 0, 8)+"}", 8),
		"product overflows":  file("{"+tensor("a", "4294967296,4294967296", 0, 0)+"}", 0),
		"beyond the end":     file("{"+tensor("a", "8", 0, 8)+"}", 7),
		"ends before begins": file("{"+tensor("a", "8", 8, 0)+"}", 8),
		"objects in objects": file(strings.Repeat(`{"a":`, 1_000_000), 0),
		"spaces":             file("{"+strings.Repeat(" ", 16<<20), 0),
	} {
		all = append(all, hostile{"safetensors: " + name, content, readWeights})
	}
	slices.SortFunc(all, func(a, b hostile) int { return strings.Compare(a.name, b.name) })
	return all
}

// hostilePictures claim sizes that nothing stands behind.
func hostilePictures(t testing.TB) []hostile {
	le, be := binary.LittleEndian, binary.BigEndian
	gif4GiB := []byte("GIF89a\xff\xff\xff\xff\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x02\x4c\x01\x00;")
	header := append([]byte("IHDR"), be.AppendUint32(be.AppendUint32(nil, 65535), 65535)...)
	header = append(header, 16, 6, 0, 0, 0)
	png65535 := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), header...)
	png65535 = be.AppendUint32(png65535, crc32.ChecksumIEEE(header))
	bitmap := append([]byte("BM\x36\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00"), le.AppendUint32(le.AppendUint32(nil, 65535), 65535)...)
	bitmap = append(bitmap, append([]byte{1, 0, 24, 0}, make([]byte, 24)...)...)
	return []hostile{
		{fmt.Sprintf("GIF of 4 GiB in %d bytes", len(gif4GiB)), gif4GiB, readPicture},
		{"PNG of 65535 squared", png65535, readPicture},
		{"BMP of 65535 squared", bitmap, readPicture},
		{"JPEG of 65535 squared", []byte("\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"), readPicture},
		{"WebP of 16383 squared", []byte("RIFF\x1e\x00\x00\x00WEBPVP8 \x12\x00\x00\x00\x10\x00\x00\x9d\x01\x2a\xff\x3f\xff\x3f12345678"), readPicture},
		{"TIFF of 2^32 squared", []byte("II*\x00\x08\x00\x00\x00\x02\x00\x00\x01\x04\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01\x01\x04\x00\x01\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x00"), readPicture},
		{"a file of 21 MB", make([]byte, 21_000_000), readPicture},
	}
}

// hostileTexts are the JSON and the lists of models and data sets.
func hostileTexts(model fstest.MapFS) []hostile {
	config := string(model["config.json"].Data)
	long := strings.Replace(config, `"stop_tokens"`, `"stop_tokens":[`+strings.Repeat("0,", 8<<20)+`0],"stop_tokens"`, 1)
	deep := strings.Repeat("[", 1<<20)
	names := func(n int) string {
		var b strings.Builder
		b.WriteString(`{"a":0`)
		for i := range n {
			fmt.Fprintf(&b, `,"%x":0`, i)
		}
		return b.String() + "}"
	}
	layers := strings.Replace(config, `"layers": 1`, `"layers": 1000000000`, 1)
	wide := strings.Replace(config, `"vocab_size": 2`, `"vocab_size": 99999999992`, 1)
	return []hostile{
		{"config.json: lists in lists", []byte(`{"clip":` + deep), inModel(model, "config.json")},
		{"config.json: 16 MiB of numbers", []byte(long), inModel(model, "config.json")},
		{"config.json: 10^9 layers", []byte(layers), inModel(model, "config.json")},
		{"config.json: vocabulary of 10^11", []byte(wide), inModel(model, "config.json")},
		{"config.json: name of 1 MiB", []byte(strings.Replace(config, `"random"`, `"`+strings.Repeat("r", 1<<20)+`"`, 1)), inModel(model, "config.json")},
		{"run.json: 17 MiB", bytes.Repeat([]byte(" "), 17<<20), inModel(model, "run.json")},
		{"vocab.json: 10^6 names", []byte(names(1_000_000)), inModel(model, "gpt_tokenizer/vocab.json")},
		{"vocab.json: 9 MiB", bytes.Repeat([]byte(" "), 9<<20), inModel(model, "gpt_tokenizer/vocab.json")},
		{"vocab.json: objects in objects", []byte(strings.Repeat(`{"a":`, 1<<20)), inModel(model, "gpt_tokenizer/vocab.json")},
		{"merges.txt: 10^6 lines", []byte(strings.Repeat("a b\n", 1_000_000)), inModel(model, "gpt_tokenizer/merges.txt")},
		{"merges.txt: line of 16 MiB", []byte(strings.Repeat("a", 16<<20)), inModel(model, "gpt_tokenizer/merges.txt")},
		{"captions: lists in lists", []byte(`{"images":` + deep), readCaptions},
		{"captions: text of 16 MiB", []byte(`{"image":"a.jpg","captions":["` + strings.Repeat("a", 16<<20) + `"]}`), readCaptions},
		{"captions: number of 16 MiB", []byte(`{"annotations":[{"image_id":` + strings.Repeat("1", 16<<20) + `}]}`), readCaptions},
	}
}

// soundFiles is a file of each kind.
func soundFiles(t testing.TB) []sound {
	t.Helper()
	model := modelFiles(t)
	torch, err := os.ReadFile(filepath.Join("..", "..", "testdata", "golden", "clipcap_mlp", "weights.pt"))
	if err != nil {
		t.Fatal(err)
	}
	webp, err := os.ReadFile(filepath.Join("..", "..", "internal", "imageproc", "testdata", "lossy.webp"))
	if err != nil {
		t.Fatal(err)
	}
	encoded := func(encode func(w io.Writer) error) []byte {
		var file bytes.Buffer
		if err := encode(&file); err != nil {
			t.Fatal(err)
		}
		return file.Bytes()
	}
	small := draw(48, 32)
	file := func(name string, content []byte, read func(string) error) hostile {
		return hostile{name, content, read}
	}
	return []sound{
		{file("safetensors", model["model.safetensors"].Data, readWeights), 0, false},
		{file("torch", torch, readWeights), 0, false},
		{file("JPEG", encoded(func(w io.Writer) error { return jpeg.Encode(w, small, nil) }), readPicture), 2, false},
		{file("PNG", encoded(func(w io.Writer) error { return png.Encode(w, small) }), readPicture), 16, false},
		{file("GIF", encoded(func(w io.Writer) error { return gif.Encode(w, small, nil) }), readPicture), 16, false},
		{file("BMP", encoded(func(w io.Writer) error { return bmp.Encode(w, small) }), readPicture), 0, false},
		{file("TIFF", encoded(func(w io.Writer) error { return tiff.Encode(w, small, nil) }), readPicture), 16, false},
		{file("WebP", webp, readPicture), 16, false},
		{file("tar", tarOf(t, tar.Header{Typeflag: tar.TypeReg, Name: "a.jpg"}), readTar), 1024, false},
		{file("config.json", model["config.json"].Data, inModel(model, "config.json")), 2, false},
		{file("model.safetensors", model["model.safetensors"].Data, inModel(model, "model.safetensors")), 0, false},
		{file("vocab.json", model["gpt_tokenizer/vocab.json"].Data, inModel(model, "gpt_tokenizer/vocab.json")), 2, false},
		{file("merges.txt", model["gpt_tokenizer/merges.txt"].Data, inModel(model, "gpt_tokenizer/merges.txt")), 0, true},
		{file("COCO", []byte(`{"images":[{"id":1,"file_name":"a.jpg"}],"annotations":[{"image_id":1,"caption":"a dog"}]}`), readCaptions), 0, false},
		{file("JSON lines", []byte(`{"image":"a.jpg","captions":["a dog"]}`+"\n"+`{"image":"b.jpg","captions":["a cat"]}`+"\n"), readCaptions), 0, true},
		{file("Flickr30k", []byte("a.jpg#0\ta dog\na.jpg#1\ta cat\n"), readCaptions), 0, true},
	}
}

// modelFiles are the files of a small model folder.
func modelFiles(t testing.TB) fstest.MapFS {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	writeRandomModel(t, dir)
	files := fstest.MapFS{}
	for _, name := range []string{
		"config.json", "model.safetensors",
		"clip_tokenizer/vocab.json", "clip_tokenizer/merges.txt", "gpt_tokenizer/vocab.json", "gpt_tokenizer/merges.txt",
	} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	return files
}
