package mapper_test

import (
	"math"

	"github.com/cutline-go/cutline/internal/mapper"
)

// naive computes the mappers with loops over float64, for one embedding at a time, from
// the values of the variables by name.
type naive struct {
	mapper.Config
	values map[string][]float64
}

// linear is torch's: weight [out, in]. There is a bias where a variable is called so.
func (n naive) linear(name string, x []float64) []float64 {
	weight, bias := n.values[name+".weight"], n.values[name+".bias"]
	out := make([]float64, len(weight)/len(x))
	for o := range out {
		if bias != nil {
			out[o] = bias[o]
		}
		for i, v := range x {
			out[o] += weight[o*len(x)+i] * v
		}
	}
	return out
}

func (n naive) mlp(embedding []float64) []float64 {
	h := n.linear("model.0", embedding)
	for i := range h {
		h[i] = math.Tanh(h[i])
	}
	return n.linear("model.2", h)
}

func (n naive) transformer(embedding []float64) []float64 {
	var x [][]float64 // a row for each token of the embedding and each constant
	flat := append(n.linear("linear", embedding), n.values["prefix_const"]...)
	for at := 0; at < len(flat); at += n.Width {
		x = append(x, flat[at:at+n.Width])
	}
	for _, layer := range []string{"transformer.layers.0.", "transformer.layers.1."} {
		x = n.block(layer, x)
	}
	var prefix []float64
	for _, row := range x[n.ClipLength:] {
		prefix = append(prefix, row...)
	}
	return prefix
}

// block adds to each row what attention and then the MLP make of the normalised rows.
func (n naive) block(name string, x [][]float64) [][]float64 {
	var queries, keys, values [][]float64
	for _, row := range x {
		h := n.norm(name+"norm1", row)
		queries = append(queries, n.linear(name+"attn.to_queries", h))
		kv := n.linear(name+"attn.to_keys_values", h)
		keys, values = append(keys, kv[:n.Width]), append(values, kv[n.Width:])
	}
	var out [][]float64
	for i, row := range x {
		row = sum(row, n.linear(name+"attn.project", n.attend(queries[i], keys, values)))
		h := n.linear(name+"mlp.fc1", n.norm(name+"norm2", row))
		for j := range h {
			h[j] = max(h[j], 0)
		}
		out = append(out, sum(row, n.linear(name+"mlp.fc2", h)))
	}
	return out
}

// attend is what one position takes from all, head by head.
func (n naive) attend(query []float64, keys, values [][]float64) []float64 {
	out := make([]float64, n.Width)
	d := n.Width / n.Heads
	for head := 0; head < n.Width; head += d {
		total := 0.0
		for t := range keys {
			score := 0.0
			for i := head; i < head+d; i++ {
				score += query[i] * keys[t][i]
			}
			weight := math.Exp(score / math.Sqrt(float64(d)))
			total += weight
			for i := head; i < head+d; i++ {
				out[i] += weight * values[t][i]
			}
		}
		for i := head; i < head+d; i++ {
			out[i] /= total
		}
	}
	return out
}

func (n naive) norm(name string, x []float64) []float64 {
	mean, variance := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = (v-mean)/math.Sqrt(variance+1e-5)*n.values[name+".weight"][i] + n.values[name+".bias"][i]
	}
	return out
}

func sum(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] + b[i]
	}
	return out
}
