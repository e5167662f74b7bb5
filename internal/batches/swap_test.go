package batches

import "testing"

func TestSwap(t *testing.T) {
	if n := len(pairs()); n != 26 {
		t.Errorf("%d pairs, CapDec has 26", n)
	}
	for _, c := range []struct {
		swap    Swap
		caption string
		want    string
		swapped bool
	}{
		{SwapBoth, "A man and two Women, her dog!", "a woman and two men, him dog!", true},
		{SwapMen, "A man and two women.", "a woman and two women.", true},
		{SwapWomen, "A man and two women.", "a man and two men.", true},
		{SwapBoth, "A mandolin player.", "a mandolin player.", false},
		{SwapNone, "A man", "a man", false},
		{SwapBoth, "", "", false},
		{SwapBoth, "...", "...", false},
	} {
		got, swapped := c.swap.Apply(c.caption)
		if got != c.want || swapped != c.swapped {
			t.Errorf("%q of %q: %q %v, want %q %v", c.swap, c.caption, got, swapped, c.want, c.swapped)
		}
		if back, _ := c.swap.Apply(got); c.swap == SwapBoth && !hasHer(c.caption) && back != lower(c.caption) {
			t.Errorf("twice %q of %q: %q", c.swap, c.caption, back)
		}
	}
	if Swap("all").Validate() == nil || SwapMen.Validate() != nil {
		t.Error("Validate knows other directions")
	}
}

// hasHer tells captions with a word of two counterparts, which does not come back.
func hasHer(caption string) bool { return caption == "A man and two Women, her dog!" }

func lower(caption string) string {
	out, _ := SwapNone.Apply(caption)
	return out
}
