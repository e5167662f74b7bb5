package scenegraph

// takeNoun adds what a noun phrase says by itself, and gives it its role.
func (p *parser) takeNoun(c chunk) {
	names := p.name(c)
	r := p.findRole(names)
	p.relate(r, names)
	if p.joined && len(p.last) > 0 {
		p.last = append(p.last[:len(p.last):len(p.last)], names...)
	} else {
		p.last = names
	}
	p.role = r
	if r.subject {
		p.subject = p.last
	}
}

// name returns the objects that a noun phrase stands for: one, or none if it
// is a pronoun of which nothing is known.
func (p *parser) name(c chunk) []string {
	if c.kind == pronoun {
		if c.text == "" {
			return nil
		}
		for _, a := range p.antecedents {
			if c.plural || !a.plural {
				return []string{a.text}
			}
		}
		return nil
	}
	p.add(c.text)
	for _, attribute := range c.attributes {
		p.add(c.text, attribute)
	}
	if c.count != "" && c.plural {
		p.add(c.text, c.count)
	}
	if c.owner != nil {
		for _, owner := range p.name(*c.owner) {
			p.add(owner, "have", c.text)
		}
	}
	p.antecedents = append(p.antecedents, c)
	return []string{c.text}
}

// findRole decides what the noun at hand is to what stands before it.
func (p *parser) findRole(names []string) role {
	switch v := p.verb; {
	case p.preposition != nil:
		r := *p.preposition
		p.preposition = nil
		return r
	case p.joined && len(p.last) > 0:
		return p.role
	case v != nil && p.existential:
		p.existential = false
		p.verb = nil
		p.lastBy = ""
		return role{subject: true}
	case v != nil && !v.object && v.text == "be":
		v.object, v.expressed = true, true
		p.lastBy = ""
		return role{governors: v.subjects}
	case v != nil && !v.object && !v.passive:
		v.object, v.expressed = true, true
		p.lastBy = ""
		return role{governors: v.subjects, relation: v.text}
	}
	p.endClause()
	return role{subject: true}
}

// relate adds the tuples that a role makes of its nouns.
func (p *parser) relate(r role, names []string) {
	for _, governor := range r.governors {
		for _, name := range names {
			switch {
			case r.relation == "":
				p.add(governor, name)
			case r.reversed:
				p.add(name, r.relation, governor)
			default:
				p.add(governor, r.relation, name)
			}
		}
	}
}

// takePreposition finds what the preposition relates its noun to. Without a
// noun it is a particle of the verb: picks up.
func (p *parser) takePreposition(c chunk) {
	if kind := p.peek(0); kind != noun && kind != pronoun {
		if p.verb != nil && p.verb.text != "be" && !p.verb.expressed {
			p.verb.text += " " + c.text
		}
		return
	}
	p.joined = false
	r := role{relation: c.text}
	switch v := p.verb; {
	case v != nil && v.passive && c.text == "by":
		r = role{governors: v.subjects, relation: v.text, reversed: true}
	case v == nil || v.expressed && (p.lastBy != "" || isAboutLast(c.text)) && len(p.last) > 0:
		r.governors = p.nearest(c.text)
	case v.text == "be" && !v.object:
		r.governors = v.subjects
	case v.text == "be":
		r.governors = p.nearest(c.text)
	default:
		r = role{governors: v.subjects, relation: v.text + " " + c.text}
	}
	if p.verb != nil {
		p.verb.object, p.verb.expressed = true, true
	}
	p.lastBy = c.text
	p.preposition = &r
}

// nearest returns the nouns that a preposition after a noun belongs to: all of
// a list are on the table, but "of" what is only the last.
func (p *parser) nearest(preposition string) []string {
	if isAboutLast(preposition) && len(p.last) > 0 {
		return p.last[len(p.last)-1:]
	}
	return p.last
}
