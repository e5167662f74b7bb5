package tokenizer_test

import (
	"fmt"
	"log"
	"os"
	"slices"

	"github.com/cutline-go/cutline/tokenizer"
)

// Train a small tokenizer on captions, keep it in a folder, and use it.
func Example() {
	captions := []string{
		"A dog runs on the beach.",
		"Two dogs run on the grass.",
		"A dog runs in the snow.",
	}
	bpe, err := tokenizer.Train(tokenizer.GPT2, slices.Values(captions), 300)
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "tokenizer")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := bpe.Save(dir); err != nil {
		log.Fatal(err)
	}
	bpe, err = tokenizer.Open(dir)
	if err != nil {
		log.Fatal(err)
	}
	ids := bpe.Encode("A dog runs on the snow.")
	var tokens []string
	for _, id := range ids {
		tokens = append(tokens, bpe.Token(id))
	}
	fmt.Printf("%q\n", tokens)
	fmt.Println(bpe.Decode(ids))
	// Output:
	// ["A" "Ġdog" "Ġruns" "Ġon" "Ġthe" "Ġ" "s" "n" "o" "w" "."]
	// A dog runs on the snow.
}
