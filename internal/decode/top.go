package decode

import (
	"cmp"
	"math"
	"slices"
)

// choice is a token that may come next.
type choice struct {
	token int
	logit float32
}

// top returns the n allowed tokens of the largest logits, largest first and of equal
// ones the lower token first. It leaves out banned tokens and logits of −∞. The
// result is written over list.
//
// A heap of n choices, the worst on top, lets nearly all of a vocabulary pass with
// one comparison each.
func top(list []choice, row []float32, n int, banned []int) []choice {
	heap := list[:0]
	worst := float32(math.Inf(-1))
	for token := 0; token < len(row); token++ {
		for len(row)-token >= few && noneAbove((*[few]float32)(row[token:]), worst) {
			token += few
		}
		if token == len(row) {
			break
		}
		logit := row[token]
		if logit <= worst || slices.Contains(banned, token) {
			continue
		}
		if len(heap) < n {
			heap = append(heap, choice{token, logit})
			if len(heap) < n {
				continue
			}
			for i := n/2 - 1; i >= 0; i-- {
				sink(heap, i)
			}
		} else {
			heap[0] = choice{token, logit}
			sink(heap, 0)
		}
		worst = heap[0].logit
	}
	slices.SortFunc(heap, func(a, b choice) int {
		return cmp.Or(cmp.Compare(b.logit, a.logit), cmp.Compare(a.token, b.token))
	})
	return heap
}

// few logits are looked at together: a processor compares two of them at once where nothing
// else stands between.
const few = 8

func noneAbove(x *[few]float32, worst float32) bool {
	return x[0] <= worst && x[1] <= worst && x[2] <= worst && x[3] <= worst &&
		x[4] <= worst && x[5] <= worst && x[6] <= worst && x[7] <= worst
}

// Top returns the n most probable tokens of a row of logits, most probable first and of
// equal ones the lower first.
func Top(row []float32, n int) []int {
	var tokens []int
	for _, c := range top(nil, row, n, nil) {
		tokens = append(tokens, c.token)
	}
	return tokens
}

// allowed lists the tokens of which top selects, lowest token first. The result is
// written over list.
func allowed(list []choice, row []float32, banned []int) []choice {
	list = list[:0]
	for token, logit := range row {
		if !math.IsInf(float64(logit), -1) && !slices.Contains(banned, token) {
			list = append(list, choice{token, logit})
		}
	}
	return list
}

// sink moves heap[i] below every choice that is worse.
func sink(heap []choice, i int) {
	for {
		child := 2*i + 1
		if child >= len(heap) {
			return
		}
		if child+1 < len(heap) && worse(heap[child+1], heap[child]) {
			child++
		}
		if !worse(heap[child], heap[i]) {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}

func worse(a, b choice) bool {
	return a.logit < b.logit || a.logit == b.logit && a.token > b.token
}
