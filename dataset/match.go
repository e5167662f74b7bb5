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

// ambiguous stands in an index for a key that several images share.
const ambiguous = -1

// index finds images by their keys under a rule, both their name's and their ID's.
func index(images []Record, key func(string) string) map[string]int {
	found := make(map[string]int, len(images))
	for i, r := range images {
		for _, name := range []string{r.Image, r.ID} {
			if name == "" {
				continue
			}
			k := key(name)
			if other, taken := found[k]; taken && other != i {
				found[k] = ambiguous
			} else if k != "" {
				found[k] = i
			}
		}
	}
	return found
}

// matchNames returns the image of each result under the strictest rule by which any
// result has one: ambiguous where there are several, unknown where there is none.
func matchNames(results []Result, images []Record) (matches []int, by string) {
	matches = make([]int, len(results))
	for _, rule := range rules() {
		found, any := index(images, rule.key), false
		for i, r := range results {
			var known bool
			if matches[i], known = found[rule.key(r.Image)]; !known {
				matches[i] = unknown
			}
			any = any || matches[i] >= 0
		}
		if any {
			return matches, rule.name
		}
	}
	return matches, ""
}

// unknown stands for the image of a result that no reference names.
const unknown = -2
