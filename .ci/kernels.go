//go:build ignore

// Kernels prints the names of the sets of kernels that this processor runs.
package main

import (
	"fmt"
	"strings"

	"github.com/cutline-go/cutline/engine"
)

func main() { fmt.Println(strings.Join(engine.Kernels(), " ")) }
