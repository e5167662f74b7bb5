package dataset

import (
	"path"
	"strings"
)

// rule is one way to compare an image's names in two files.
type rule struct {
	name string
	key  func(name string) string // "" for a name that has none
}

// rules lists them, the strictest first.
func rules() []rule {
	return []rule{
		{"whole name", func(name string) string { return name }},
		{"name without folders", path.Base},
		{"name without folders and extension", func(name string) string { return stem(path.Base(name)) }},
		{"number", number},
	}
}

// number returns the digits that end a name without its extension, if they are all of it or
// follow "_" or "-", without leading zeros: COCO_val2014_000000391895.jpg is image
// 391895 of COCO's results.
func number(name string) string {
	name = stem(path.Base(name))
	before := strings.TrimRight(name, "0123456789")
	digits := name[len(before):]
	if digits == "" || before != "" && !strings.HasSuffix(before, "_") && !strings.HasSuffix(before, "-") {
		return ""
	}
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		return "0"
	}
	return digits
}
