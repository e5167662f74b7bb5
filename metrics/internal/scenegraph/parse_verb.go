package scenegraph

// takeVerb finds the verb's subjects and waits for its objects.
func (p *parser) takeVerb(c chunk) {
	subjects := p.subjectsOf(c)
	if p.existential && c.text != "be" {
		p.existential = false
	}
	p.endVerb()
	p.verb = &verb{chunk: c, subjects: subjects, object: c.passive}
	p.relative, p.preposition = false, nil
}

func (p *parser) subjectsOf(c chunk) []string {
	v := p.verb
	switch {
	case p.relative:
		return p.last
	case v != nil && p.joined:
		return v.subjects
	case v == nil && (c.kind == finite || c.kind == infinitive || len(p.last) == 0):
		return p.subject
	case v == nil && (c.kind == participle || p.lastBy == "" || isAboutLast(p.lastBy)):
		return p.last
	case v == nil:
		return p.subject
	case !v.expressed || len(p.last) == 0:
		return v.subjects
	case c.kind == participle, isAboutLast(p.lastBy) && c.kind == gerund,
		p.lastBy == "" && c.kind == gerund && isOneOf(shownBy, v.text):
		return p.last
	}
	return v.subjects
}

// shownBy are the verbs whose object does what a gerund after it says: a man
// watching dogs playing. Else it is the subject: a man holding a bat running.
const shownBy = " be have watch see show feature contain depict "

// takeAdjective makes an attribute of an adjective without a noun: of the
// subjects of a verb (is red, looks happy), else of the noun before it.
func (p *parser) takeAdjective(c chunk) {
	described := p.last
	if v := p.verb; v != nil && (!v.expressed || p.joined && v.text == "be") {
		described = v.subjects
		if v.text == "be" {
			v.object, v.expressed = true, true
		}
	}
	for _, name := range described {
		p.add(name, c.text)
	}
	if p.verb == nil && len(described) > 0 {
		p.lastBy = ""
	}
}
