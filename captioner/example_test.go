package captioner_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/cutline-go/cutline/captioner"
)

func Example() {
	c, err := captioner.Open("models/tiny", captioner.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	file, err := os.Open("photo.jpg")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	photo, err := c.Read(file)
	if err != nil {
		log.Fatal(err)
	}
	caption, err := c.Caption(context.Background(), photo)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(caption.Text)
}

// The three best of five beams, ordered by how well CLIP finds them to fit.
func ExampleCaptioner_With() {
	var c *captioner.Captioner // from Open
	precise, err := c.With(captioner.Decoding{Beams: 5, NBest: 3, Rerank: true})
	if err != nil {
		log.Fatal(err)
	}
	photo, err := precise.Read(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	caption, err := precise.Caption(context.Background(), photo)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f %s\n", caption.Similarity, caption.Text)
	for _, other := range caption.Alternatives {
		fmt.Printf("%.3f %s\n", other.Similarity, other.Text)
	}
}
