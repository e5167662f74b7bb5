package metrics

import "strings"

// abbreviation is how a word before a full stop behaves.
type abbreviation uint8

const (
	notAbbreviated abbreviation = iota
	innerStop                   // keeps the stop: "Mr."
	sharedStop                  // keeps it, and where the sentence may end there is another: "etc."
	numberStop                  // keeps it before a number only: "No. 5"
)

// abbreviationOf looks up the word before a full stop. The lexer ignores case,
// but for words that are common in lower case.
func abbreviationOf(w string) abbreviation {
	const longest = len("bancorp")
	if len(w) < 2 || len(w) > longest {
		return notAbbreviated
	}
	switch w {
	case "Miss", "Az", "Ark", "Del", "Ill", "La", "Mass", "Ore", "Pa", "Tex", "Wash":
		return sharedStop
	}
	var b [longest]byte
	for i := range len(w) {
		b[i] = w[i]
		if 'A' <= b[i] && b[i] <= 'Z' {
			b[i] |= 0x20
		}
	}
	switch string(b[:len(w)]) {
	case "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
		"mon", "tue", "tues", "wed", "thu", "thurs", "fri",
		"ala", "ariz", "calif", "colo", "conn", "ct", "dak", "fla", "ga", "ind", "kan", "kans",
		"ky", "md", "mich", "minn", "mo", "mont", "neb", "nev", "okla", "penn", "tenn", "va",
		"vt", "wis", "wisc", "wyo",
		"inc", "co", "cos", "corp", "pty", "pte", "ptys", "ptes", "ppty", "ppte", "pptys", "pptes",
		"ltd", "plc", "bancorp", "bhd", "assn", "univ", "intl", "sys",
		"tel", "est", "ext", "sq", "jr", "bros", "esq", "etc", "al", "seq":
		return sharedStop
	case "mr", "mrs", "ms", "dr", "drs", "prof", "profs", "sen", "sens", "rep", "reps", "atty",
		"attys", "lt", "col", "gen", "messrs", "gov", "govs", "adm", "rev", "maj", "sgt", "cpl",
		"pvt", "capt", "st", "ste", "ave", "pres", "lieut", "rt", "hon", "brig", "cmdr", "comdr",
		"pfc", "spc", "supt", "supts", "det", "mt", "ft", "adj", "adv", "asst", "assoc", "ens",
		"insp", "mlle", "mme", "msgr", "sfc", "sr",
		"vs", "alex", "wm", "jos", "cie", "cf", "treas", "ph",
		"invt", "elec", "natl", "mfg", "mtg", "dept", "blvd", "rd":
		return innerStop
	case "ca", "fig", "figs", "prop", "no", "nos", "sec", "sect", "secs", "sects", "art", "arts",
		"para", "paras", "bldg", "pp", "op", "approx":
		return numberStop
	}
	return notAbbreviated
}

// abbreviations tries initials and abbreviations.
func (s *scanner) abbreviations(m *match) {
	s.initials(m)
	for _, w := range [...]string{"ed.d", "ph.d"} { // etc. by another name: they share their stop
		if end := s.at + len(w); s.hasFold(s.at, w) && s.byteAt(end) == '.' {
			s.shared(m, end+1)
		}
	}
	end := s.run(s.at, isASCIILetter)
	if s.byteAt(end) != '.' {
		return
	}
	switch end++; abbreviationOf(s.view[s.at : end-1]) {
	case innerStop:
		m.longer(match{end: end})
	case sharedStop:
		s.shared(m, end)
	case numberStop:
		digit := end
		if isSpace(s.byteAt(digit)) {
			digit++
		}
		if isASCIIDigit(s.byteAt(digit)) {
			m.longer(match{end: end, reach: digit + 1})
		}
	}
}

// shared tries an abbreviation that ends with the stop before end. The stop is
// said again where the sentence seems to end.
func (s *scanner) shared(m *match, end int) {
	c := s.byteAt(end + 1)
	if isSpace(s.byteAt(end)) && (isSpace(c) || 'A' <= c && c <= 'Z') {
		m.longer(match{end: end, reach: end + 2, then: "."})
		return
	}
	m.longer(match{end: end, reach: end + 2})
}

// initials tries single letters joined by full stops: "U.S.", "p.m", "T.".
func (s *scanner) initials(m *match) {
	if !isASCIILetter(s.byteAt(s.at)) {
		return
	}
	end := s.at + 1
	for s.byteAt(end) == '.' && isASCIILetter(s.byteAt(end+1)) {
		end += 2
	}
	if s.byteAt(end) != '.' {
		return // a word like any other
	}
	// Before a word that begins most sentences, the stop ends this one. A single
	// letter then is no initial but a letter.
	if reach := s.sentenceStart(end + 1); reach > 0 {
		if end == s.at+1 {
			m.longer(match{end: end, reach: reach})
		} else {
			m.longer(match{end: end + 1, reach: reach, then: "."})
		}
		return
	}
	m.longer(match{end: end + 1})
}

// sentenceStart returns where the word at i ends with the character behind it,
// if it follows a space and is one that often begins a sentence, or 0.
func (s *scanner) sentenceStart(i int) int {
	begin := s.run(i, isSpace)
	if begin == i {
		return 0
	}
	end := s.run(begin, isASCIILetter)
	w := s.view[begin:end]
	if (w == "Mr" || w == "Ms") && s.byteAt(end) == '.' {
		end++
	} else if !beginsSentences(w) {
		return 0
	}
	if c := s.byteAt(end); isSpace(c) || c == '?' || c == '!' {
		return end + 1
	}
	return 0
}

func beginsSentences(w string) bool {
	const words = " About According Additionally After An A As At But Did During Earlier He Her Here How " +
		"However If In It Last Many More Now Once One Other Our She Since So Some Such That The Their Then " +
		"There These They This We When While What Who Why Yet You "
	return w != "" && strings.Contains(words, " "+w+" ")
}
