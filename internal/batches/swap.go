package batches

import (
	"fmt"
	"strings"
	"unicode"
)

// Swap says which gendered words of a caption CLIP reads as their counterparts, as
// CapDec's fairness experiment does; the caption to be learned stays as it is.
type Swap string

// The directions.
const (
	SwapNone  Swap = ""
	SwapBoth  Swap = "both"
	SwapMen   Swap = "men"   // words for men become words for women
	SwapWomen Swap = "women" // words for women become words for men
)

// Validate reports a direction that there is not.
func (s Swap) Validate() error {
	switch s {
	case SwapNone, SwapBoth, SwapMen, SwapWomen:
		return nil
	}
	return fmt.Errorf("swap is %q, want %q, %q, %q or nothing", s, SwapBoth, SwapMen, SwapWomen)
}

// pairs are words for men and for women.
func pairs() [][2]string {
	return [][2]string{
		{"man", "woman"}, {"men", "women"}, {"boy", "girl"}, {"boys", "girls"},
		{"he", "she"}, {"him", "her"}, {"his", "her"}, {"himself", "herself"},
		{"male", "female"}, {"males", "females"}, {"guy", "lady"}, {"guys", "ladies"},
		{"gentleman", "gentlewoman"}, {"gentlemen", "gentlewomen"},
		{"father", "mother"}, {"fathers", "mothers"}, {"dad", "mom"}, {"son", "daughter"},
		{"sons", "daughters"}, {"brother", "sister"}, {"brothers", "sisters"},
		{"husband", "wife"}, {"groom", "bride"}, {"king", "queen"}, {"actor", "actress"},
		{"waiter", "waitress"},
	}
}

// Apply returns the caption in lower case with its words exchanged, and whether there
// were any.
func (s Swap) Apply(caption string) (string, bool) {
	exchange := make(map[string]string)
	for _, pair := range pairs() {
		if s == SwapBoth || s == SwapMen {
			exchange[pair[0]] = pair[1]
		}
		if _, known := exchange[pair[1]]; !known && (s == SwapBoth || s == SwapWomen) {
			exchange[pair[1]] = pair[0] // her becomes him, the first of its two
		}
	}
	var out strings.Builder
	swapped := false
	for rest := strings.ToLower(caption); rest != ""; {
		end := strings.IndexFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) })
		switch {
		case end < 0:
			end = len(rest)
		case end == 0:
			end = strings.IndexFunc(rest, unicode.IsLetter)
			if end < 0 {
				end = len(rest)
			}
		}
		word := rest[:end]
		if other, ok := exchange[word]; ok {
			word, swapped = other, true
		}
		out.WriteString(word)
		rest = rest[end:]
	}
	return out.String(), swapped
}
