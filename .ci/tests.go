//go:build ignore

// Tests reads what `go test -json` prints and writes what `go test` would have
// written: a line for each package, and all that failed. It fails if a test did
// and, after -noskip, if one was skipped.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
)

// event is a line of go test's output; see `go doc test2json`.
type event struct {
	Action, Package, Test, Output string
}

func main() {
	noskip := flag.Bool("noskip", false, "fail if a test was skipped")
	except := flag.String("except", "", "a test whose subtests may skip all the same")
	flag.Parse()
	failed := false
	var skipped []string
	excepted := 0
	output := make(map[string]string) // of each test
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Println(lines.Text()) // not of go test, but of make
			continue
		}
		test := e.Package + " " + e.Test
		switch {
		case e.Action == "build-output":
			fmt.Print(e.Output)
		case e.Action == "output" && e.Test != "":
			output[test] += e.Output
		case e.Action == "output" && e.Output != "PASS\n":
			fmt.Print(e.Output)
		case e.Action == "skip" && *except != "" && strings.HasPrefix(e.Test, *except+"/"):
			excepted++
		case e.Action == "skip" && e.Test != "":
			skipped = append(skipped, test+"\n"+output[test])
		case e.Action == "fail":
			failed = true
			fmt.Print(output[test])
		}
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if excepted > 0 {
		fmt.Printf("%d parts of %s were skipped\n", excepted, *except)
	}
	if len(skipped) > 0 {
		fmt.Printf("%d tests were skipped:\n%s", len(skipped), strings.Join(skipped, ""))
	}
	if failed || *noskip && len(skipped) > 0 {
		os.Exit(1)
	}
}
