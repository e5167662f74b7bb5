package align

import "math"

// Exact is the plan of the least total cost, min_T Σ T_ij C_ij. For as many texts as
// photos it is an assignment.
type Exact struct {
	texts int
	scale float64       // 1 over the units that all photos have together
	flow  []map[int]int // of each photo: text → units
	cost  [][]float64   // [N, M]
	price struct {      // dual variables: cost ≥ photo + text, with equality where mass flows
		photo, text []float64
	}
	demand []int // units that each text still lacks
}

// NewExact finds the optimal plan by successive shortest paths over the dense
// bipartite graph (the Hungarian method, for masses), O((N+M)·N·M).
func NewExact(photos, texts [][]float32) (*Exact, error) {
	cost, err := Cost(photos, texts)
	if err != nil {
		return nil, err
	}
	n, m := len(photos), len(texts)
	// Uniform masses in whole units: a photo has m/g of them, a text takes n/g.
	g := gcd(n, m)
	e := &Exact{texts: m, scale: float64(g) / float64(n*m), cost: cost, flow: make([]map[int]int, n), demand: make([]int, m)}
	e.price.photo, e.price.text = make([]float64, n), make([]float64, m)
	for j := range e.demand {
		e.demand[j] = n / g
	}
	for i := range e.flow {
		e.flow[i] = make(map[int]int)
	}
	for i := range n {
		for supply := m / g; supply > 0; {
			supply -= e.augment(i, supply)
		}
	}
	return e, nil
}

// Row is the mass that photo i sends to each text: [M].
func (e *Exact) Row(i int) []float64 {
	row := make([]float64, e.texts)
	for j, units := range e.flow[i] {
		row[j] = float64(units) * e.scale
	}
	return row
}

// Total is Σ T_ij C_ij.
func (e *Exact) Total() float64 {
	total := 0.0
	for i, flow := range e.flow {
		for j, units := range flow {
			total += float64(units) * e.scale * e.cost[i][j]
		}
	}
	return total
}

// paths are the shortest ones from a photo over reduced costs: along any arc photo →
// text, and back along those that mass flows on.
type paths struct {
	reached  []bool    // photos
	photo    []float64 // distance of the reached
	back     []int     // the text that a photo was reached by; −1 for the start
	scanned  []bool    // texts
	text     []float64 // distance
	from     []int     // the photo before a text
	distance float64   // of the end
}

// augment sends up to supply units of photo start along the shortest path to a text
// with demand, and returns how many.
func (e *Exact) augment(start, supply int) int {
	p, end := e.shortest(start)
	for i, reached := range p.reached {
		if reached {
			e.price.photo[i] += p.distance - p.photo[i]
		}
	}
	for j, scanned := range p.scanned {
		if scanned {
			e.price.text[j] -= p.distance - p.text[j]
		}
	}
	units := min(supply, e.demand[end])
	for i := p.from[end]; p.back[i] >= 0; i = p.from[p.back[i]] {
		units = min(units, e.flow[i][p.back[i]])
	}
	e.demand[end] -= units
	for j := end; j >= 0; {
		i := p.from[j]
		e.flow[i][j] += units
		if j = p.back[i]; j >= 0 {
			if e.flow[i][j] -= units; e.flow[i][j] == 0 {
				delete(e.flow[i], j)
			}
		}
	}
	return units
}

// shortest is Dijkstra's search from photo start to the first text with demand.
func (e *Exact) shortest(start int) (p *paths, end int) {
	n, m := len(e.cost), e.texts
	p = &paths{
		reached: make([]bool, n), photo: make([]float64, n), back: make([]int, n),
		scanned: make([]bool, m), text: make([]float64, m), from: make([]int, m),
	}
	for j := range p.text {
		p.text[j] = math.Inf(1)
	}
	e.reach(p, start, -1, 0)
	for {
		next := -1
		for j, scanned := range p.scanned {
			if !scanned && (next < 0 || p.text[j] < p.text[next]) {
				next = j
			}
		}
		p.scanned[next], p.distance = true, p.text[next]
		if e.demand[next] > 0 {
			return p, next
		}
		for i := range e.flow {
			if e.flow[i][next] > 0 && !p.reached[i] {
				e.reach(p, i, next, p.distance)
			}
		}
	}
}

// reach relaxes the arcs out of photo i.
func (e *Exact) reach(p *paths, i, back int, distance float64) {
	p.reached[i], p.photo[i], p.back[i] = true, distance, back
	for j, c := range e.cost[i] {
		if d := distance + c - e.price.photo[i] - e.price.text[j]; !p.scanned[j] && d < p.text[j] {
			p.text[j], p.from[j] = d, i
		}
	}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
