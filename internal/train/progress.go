package train

import "time"

// Progress tells how far a stage of a run is.
type Progress struct {
	Stage    string        // such as [Training]
	Done, Of int           // updates of a training, items of another stage
	Rate     float64       // of items a second, or of a training's examples; 0: not known yet
	Left     time.Duration // at the pace of this process
	Losses   Losses        // of a training's last update

	Evaluation *Evaluation // of that update; mostly nil
}

// Training is the stage of [Loop].
const Training = "training"

// NewProgress is the progress of a stage of which done are done, the last n of them by
// this process in the time elapsed.
func NewProgress(stage string, done, of, n int, elapsed time.Duration) Progress {
	p := Progress{Stage: stage, Done: done, Of: of}
	if n > 0 && elapsed > 0 {
		p.Rate = float64(n) / elapsed.Seconds()
		p.Left = time.Duration(float64(elapsed) / float64(n) * float64(of-done))
	}
	return p
}
