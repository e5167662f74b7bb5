package main

import "fmt"

// Sides, by the names that their commands are given under.
const (
	cutline = "cutline"
	pytorch = "PyTorch"
	ort     = "ONNX Runtime"
	gomlxGo = "GoMLX go"
	onnx    = "GoMLX onnx"
)

// work is something that sides do: in a turn, untimed times that do not count and then
// timed times, of which the mean is taken. warmUp turns come before those that count.
type work struct {
	name                   string // what the sides know it by, with its sizes
	title                  string
	sides                  []string // that do it; nil: all
	warmUp, untimed, timed int
	bars                   []bar
	operations             float64 // multiplications and additions, of a product alone
}

// bar is the rate that was asked for, in that of a side; of the best where none is named.
type bar struct {
	side  string
	times float64
}

func best(times float64) []bar { return []bar{{"", times}} }

// plan lists the work. A turn of tokens reads ten of a text first, so that those that are
// timed stand at positions 20 to 30; sides that need no text read 25 tokens before.
func plan() []work {
	list := []work{
		{name: "vit 1", title: "ViT-B/32, image encoding, batch 1", warmUp: 2, untimed: 1, timed: 3, bars: best(1.1)},
		{name: "vit 8", title: "the same, batch 8", warmUp: 2, timed: 1, bars: best(0.95)},
		{name: "token 1", title: "GPT-2 small, one cached token, batch 1", warmUp: 2, untimed: 10, timed: 11, bars: best(1.1)},
		{name: "token 8", title: "the same, batch 8", warmUp: 2, untimed: 10, timed: 11, bars: best(1.4)},
		{name: "token-half 1", title: "the same in half precision, batch 1", sides: []string{cutline}, warmUp: 2, untimed: 10, timed: 11},
		{name: "token-half 8", title: "in half precision, batch 8", sides: []string{cutline}, warmUp: 2, untimed: 10, timed: 11},
		{name: "caption 1", title: "a whole caption, batch 1", warmUp: 2, timed: 1, bars: best(1.1)},
		{name: "caption 8", title: "the same, batch 8", warmUp: 1, timed: 1, bars: best(1.3)},
		{name: "rn50 1", title: "RN50, image encoding, batch 1", warmUp: 2, untimed: 1, timed: 3, bars: []bar{{ort, 0.8}}},
	}
	training, bars := []string{cutline, pytorch, onnx}, []bar{{pytorch, 1.5}, {onnx, 1}}
	list = append(list,
		work{name: "train-mlp 8", title: "a training step, MLP and GPT-2, batch 8", sides: training, warmUp: 2, timed: 1, bars: bars},
		work{name: "train-transformer 32", title: "a training step, transformer alone, batch 32", sides: training, warmUp: 1, timed: 1, bars: bars},
	)
	for _, inner := range [][2]int{{768, 3072}, {3072, 768}} {
		for _, rows := range []struct{ m, timed int }{{1, 40}, {16, 20}, {50, 20}, {400, 5}, {2048, 2}} {
			list = append(list, work{
				name:  fmt.Sprintf("gemm %d %d %d", rows.m, inner[0], inner[1]),
				title: fmt.Sprintf("%d×%d · %d×%d", rows.m, inner[0], inner[0], inner[1]),
				sides: []string{cutline, pytorch, ort}, warmUp: 2, untimed: rows.timed, timed: rows.timed,
				operations: 2 * float64(rows.m*inner[0]*inner[1]),
			})
		}
	}
	return list
}
