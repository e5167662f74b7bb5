package metrics

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Each case is a behaviour of Stanford's lexer, with the punctuation that
// coco-caption drops still there.
func TestLexer(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"A man rides a horse.", "a man rides a horse ."},
		{"dogs, cats,birds", "dogs , cats , birds"},
		{"", ""},
		{" \t ", ""},

		// Contractions and assimilations.
		{"It doesn't, can't and won't", "it does n't , ca n't and wo n't"},
		{"they're we've I'll he'd I'm the dog's", "they 're we 've i 'll he 'd i 'm the dog 's"},
		{"the dogs' toys", "the dogs ' toys"},
		{"the dog’s bone isn’t here", "the dog 's bone is n't here"},
		{"person 's hand", "person 's hand"},
		{"You cannot; I'm gonna", "you can not ; i 'm gon na"},
		{"GIMME what I Wanna", "gim me what i wan na"},
		{"'tis 'twas", "'t is 't was"},
		{"cannots", "cannots"},
		{"inn't", "inn ' t"}, // no word that ends in n is negated
		{"y'all", "y' all"},
		{"rock 'n' roll in the '90s '95", "rock 'n' roll in the '90s '95"},
		{"O'Neill B'Gosh shi'ite o'clock", "o'neill b'gosh shi'ite o'clock"},
		{"c'mon cap'n ol' man", "c'mon cap'n ol' man"},
		{"an 'exit' sign", "an ` exit ' sign"},

		// Full stops and abbreviations.
		{"Mr. and Mrs. Smith on 5th Ave.", "mr. and mrs. smith on 5th ave."},
		{"the U.S. army", "the u.s. army"},
		{"in Washington D.C. He waits", "in washington d.c. . he waits"},
		{"I. The step", "i . the step"},
		{"a t.v", "a t.v"},
		{"cats, dogs etc. are here", "cats , dogs etc. are here"},
		{"cats, dogs, etc.", "cats , dogs , etc. ."},
		{"He likes Inc. Magazine", "he likes inc. . magazine"},
		{"No. 5 or no.", "no. 5 or no ."},
		{"it is ill. The man", "it is ill . the man"},
		{"a plate.A spoon", "a plate.a spoon"},
		{"a dog.,", "a dog. ,"},
		{"wait... what.. ok. . .", "wait ... what . . ok ..."},

		// Numbers.
		{"1,000 people at 11:25, 3.5 or .5", "1,000 people at 11:25 , 3.5 or .5"},
		{"1/2 mile, ½ mile", `1\/2 mile , 1\/2 mile`},
		{"-5 degrees 20°C", "-5 degrees 20 °c"},
		{"12/24/2013", `12\/24\/2013`},
		{"the 1950s and 60's", "the 1950s and 60 's"},
		{"call 555-123-4567", "call 555-123-4567"},
		{"$5.99 and US$3 £4 €5", "$ 5.99 and us$ 3 # 4 $ 5"},
		{"50% off #1", "50 % off # 1"},

		// Hyphens, slashes and ampersands.
		{"a red-headed 12-year-old", "a red-headed 12-year-old"},
		{"a pedestrian- and veh-", "a pedestrian - and veh -"},
		{"bou-de-sières café", "bou-de-sières café"},
		{"pre-U.S. times", "pre-u.s. times"},
		{"his/her black/white/red and / or", `his\/her black\/white\/red and \/ or`},
		{"the beach--kite - a", "the beach -- kite - a"},
		{"black & white M&Ms at AT&T", "black & white m&m s at at&t"},
		{"salt &amp; pepper", "salt & pepper"},
		{"an em—dash", "an em -- dash"},
		{"snake_case", "snake_case"},

		// Brackets, quotes and symbols.
		{"(top) [left] {right}", "-lrb- top -rrb- -lsb- left -rsb- -lcb- right -rcb-"},
		{`a "stop" sign`, "a '' stop '' sign"},
		{"“stop” ``x''", "`` stop '' `` x ''"},
		{"wow!! really?! yes!", "wow !! really ?! yes !"},
		{"a * b", `a \* b`},
		{"happy :) dog", "happy :-rrb- dog"},
		{"<unk> dog </b>", "<unk> dog </b>"},
		{"3 < 4 > 2", "3 < 4 > 2"},
		{"i=on", "i = on"},

		// Names on the net.
		{"see www.example.com/a-b or http://x.org.", `see www.example.com\/a-b or http:\/\/x.org .`},
		{"mail me@example.com now", "mail me@example.com now"},
		{"#sunset by @dogs", "#sunset by @dogs"},
		{"img_001.jpg", "img_001.jpg"},

		// Other scripts, and what the lexer drops.
		{"Über Straße", "über straße"},
		{"dog 🐶 here", "dog here"},
		{"a soft\u00ADhyphen", "a softhyphen"},
		{"no\u00A0break", "no break"},
		{"bad \xff byte", "bad byte"},
		{"a\nb", "a b"},
	} {
		if got := strings.Join(scanAll(c.text, nil), " "); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestTokenizeDropsPunctuation(t *testing.T) {
	const caption = `A "dog" -- not a cat - sits, here; there: (and) waits... Why?! Wow! Now? It's 'fun'.`
	const want = "a dog not a cat sits here there -lrb- and -rrb- waits why ?! wow now it 's fun"
	if got := strings.Join(Tokenize(caption), " "); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Brackets survive because coco-caption's list of punctuation spells them in
// capitals, while its tokenizer has already made them small.
func TestBracketsSurvive(t *testing.T) {
	with := Tokenize("two-door (top and bottom) refrigerator")
	if got := strings.Join(with, " "); got != "two-door -lrb- top and bottom -rrb- refrigerator" {
		t.Errorf("%q", got)
	}
}

// A pattern looks 256 bytes ahead, at whole characters.
func TestLongTokensAreCut(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("a1", 1000), strings.Repeat("x", 1000), strings.Repeat("aéж", 1000), strings.Repeat("é-", 1000) + "é",
	} {
		tokens := scanAll(text, nil)
		if got := strings.Join(tokens, ""); got != text {
			t.Errorf("%.10q… is cut to %d tokens, which are not the text", text, len(tokens))
		}
		for _, token := range tokens {
			if len(token) > maxToken || !utf8.ValidString(token) {
				t.Errorf("%.10q…: token of %d bytes %q", text, len(token), token)
			}
		}
	}
}

// Tokens hold no spaces and, where they hold letters, no capitals; scanning
// ends, and scanning again what was scanned drops no letter.
func FuzzTokenize(f *testing.F) {
	for _, seed := range []string{"A man's dog.", "U.S. No. 5 1/2 (555) 123-4567", "<unk> &amp; :-) ...", "http://a.b/c @x \xff ’s n't", "\u00AD", "<a\rb>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, caption string) {
		tokens := scanAll(caption, nil)
		for _, token := range tokens {
			if token == "" || strings.ContainsAny(token, " \t\n\r") {
				t.Errorf("%q: token %q", caption, token)
			}
			if utf8.ValidString(caption) && !utf8.ValidString(token) {
				t.Errorf("%q: token %q is no UTF-8", caption, token)
			}
		}
		if most := 2 * len(caption); len(tokens) > most {
			t.Errorf("%q: %d tokens of %d bytes", caption, len(tokens), len(caption))
		}
		if len(Tokenize(caption)) > len(tokens) {
			t.Errorf("%q: dropping punctuation added tokens", caption)
		}
	})
}

func BenchmarkTokenize(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"plain", "A man with a red helmet on a small moped on a dirt road."},
		{"marked", "A skateboarder's helmet isn't on, but he leaps over a 3.5-foot (wooden) ramp."},
		{"hostile", strings.Repeat("^@.://", 10_000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.text)))
			for b.Loop() {
				Tokenize(c.text)
			}
		})
	}
}
