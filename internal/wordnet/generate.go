//go:build ignore

// Generate makes the tables of package wordnet, lemmas.gz and exceptions.gz,
// from the files of WordNet 3.0, which Debian's package wordnet-base puts in
// /usr/share/wordnet. Run it with `go generate`; another folder is given as
// its argument.
package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func main() {
	log.SetFlags(0)
	folder := "/usr/share/wordnet"
	if len(os.Args) > 1 {
		folder = os.Args[1]
	}
	if err := generate(folder); err != nil {
		log.Fatal(err)
	}
}

// generate writes both tables into the working directory. A line is a key and
// its values, each preceded by the letter of its part of speech.
func generate(folder string) error {
	lemmas, exceptions := map[string][]string{}, map[string][]string{}
	for _, part := range []struct{ letter, file string }{
		{"n", "noun"}, {"v", "verb"}, {"a", "adj"}, {"r", "adv"},
	} {
		err := each(filepath.Join(folder, "index."+part.file), func(fields []string) error {
			return addLemma(lemmas, part.letter, fields)
		})
		if err != nil {
			return err
		}
		err = each(filepath.Join(folder, part.file+".exc"), func(fields []string) error {
			for _, base := range fields[1:] {
				exceptions[fields[0]] = append(exceptions[fields[0]], part.letter+base)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := write("lemmas.gz", lemmas); err != nil {
		return err
	}
	return write("exceptions.gz", exceptions)
}

// addLemma adds a line of an index file: lemma, part of speech, the number of
// synsets, the number of pointers and the pointers, the number of senses, the
// number of them that are tagged, and the synsets' offsets (wndb(5WN)).
func addLemma(lemmas map[string][]string, letter string, fields []string) error {
	synsets, err := strconv.Atoi(fields[2])
	if err != nil || synsets < 1 || synsets > len(fields)-6 {
		return fmt.Errorf("%q has %s synsets", fields[0], fields[2])
	}
	for _, field := range fields[len(fields)-synsets:] {
		offset, err := strconv.Atoi(field)
		if err != nil {
			return fmt.Errorf("%q: %w", fields[0], err)
		}
		lemmas[fields[0]] = append(lemmas[fields[0]], letter+strconv.Itoa(princeton(letter, offset)))
	}
	return nil
}

// princeton returns the offset that a synset of Debian's has in Princeton's
// files, by which other programs know it. Debian's adjectives have a space
// more, after "plan:" in the gloss at 1681307, and of its verbs the one at
// 612841 has a pointer of 18 bytes that Princeton's has at 2422681.
func princeton(letter string, offset int) int {
	switch {
	case letter == "a" && offset > 1681307:
		return offset - 1
	case letter == "v" && 612841 < offset && offset <= 2422681:
		return offset - 18
	}
	return offset
}

// each calls f with the fields of each line that is not of the licence, whose
// lines begin with a space.
func each(path string, f func(fields []string) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if strings.HasPrefix(lines.Text(), " ") || len(fields) == 0 {
			continue
		}
		if err := f(fields); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return lines.Err()
}

// write writes the table, sorted by key, as gzip without a date, so that the
// same WordNet gives the same bytes.
func write(path string, table map[string][]string) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := file.Close(); err == nil {
			err = e
		}
	}()
	z, err := gzip.NewWriterLevel(file, gzip.BestCompression)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if _, err := fmt.Fprintln(z, key, strings.Join(table[key], " ")); err != nil {
			return err
		}
	}
	return z.Close()
}
