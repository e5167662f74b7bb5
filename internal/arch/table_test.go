package arch

// rule is what the files of a package may import beside the standard library,
// tests apart.
type rule struct {
	ours   []string // packages of this module, by their folder
	others []string // modules, by the beginning of their path
}

const (
	gomlx = "github.com/gomlx/" // gomlx, compute and its engines
	text  = "golang.org/x/text"
)

// networks returns the packages that define networks.
func networks() []string {
	return []string{
		"internal/nn", "internal/clip", "internal/gpt2", "internal/roberta",
		"internal/mapper", "internal/clipcap", "internal/cyclegan",
	}
}

// table returns the rule of each package. The order is the direction in which
// the program flows: a package imports what stands above it.
func table() map[string]rule {
	graphs := []string{gomlx}
	return map[string]rule{
		// Foundations: they know nothing of ours.
		"internal/nn":     {others: graphs},
		"internal/loss":   {others: graphs},
		"internal/align":  {others: []string{"gonum.org/v1/gonum"}},
		"internal/engine": {ours: []string{"engine"}, others: graphs},
		"internal/decode": {},
		"engine": {
			ours:   []string{"engine/internal/kernels", "engine/internal/team"},
			others: graphs,
		},
		"engine/internal/capture":           {others: graphs},
		"engine/internal/team":              {},
		"engine/internal/kernels":           {others: []string{"golang.org/x/sys/cpu"}},
		"engine/internal/kernels/asm":       {others: []string{"github.com/mmcloughlin/avo"}},
		"engine/internal/kernels/asm/arm64": {},
		"internal/imageproc":                {others: []string{"golang.org/x/image"}},
		"internal/arch":                     {},
		"tokenizer":                         {ours: []string{"tokenizer/internal/fixtext"}, others: []string{text}},
		"tokenizer/internal/fixtext":        {others: []string{text}},
		"internal/wordnet":                  {},
		"internal/spill":                    {},
		"internal/pickle":                   {},
		"metrics/internal/meteor":           {ours: []string{"internal/wordnet"}, others: []string{"github.com/blevesearch/snowballstem"}},
		"metrics/internal/scenegraph":       {ours: []string{"internal/wordnet"}},
		"metrics": {
			ours: []string{"internal/pickle", "internal/spill", "internal/wordnet", "metrics/internal/meteor",
				"metrics/internal/scenegraph"},
			others: []string{text},
		},
		"models": {},

		// Networks.
		"internal/clip":     {ours: []string{"internal/nn"}, others: graphs},
		"internal/gpt2":     {ours: []string{"internal/nn"}, others: graphs},
		"internal/roberta":  {ours: []string{"internal/nn"}, others: graphs},
		"internal/mapper":   {ours: []string{"internal/nn"}, others: graphs},
		"internal/cyclegan": {ours: []string{"internal/nn"}, others: graphs},
		"internal/clipcap": {
			ours:   []string{"internal/mapper", "internal/gpt2", "internal/nn", "internal/decode"},
			others: graphs,
		},
		"internal/zerocap": {
			ours:   []string{"internal/clipcap", "internal/gpt2", "internal/decode"},
			others: graphs,
		},

		// Files.
		"internal/weights": {ours: []string{"internal/pickle"}, others: []string{gomlx, "github.com/edsrzf/mmap-go", "golang.org/x/sys/unix"}},
		"internal/modelfolder": {
			ours:   append(networks(), "internal/weights", "internal/imageproc", "internal/decode", "tokenizer"),
			others: graphs,
		},
		"internal/convert": {
			ours:   append(networks(), "internal/weights", "internal/modelfolder", "internal/imageproc", "tokenizer", "dataset"),
			others: graphs,
		},
		"internal/hub":         {others: []string{"github.com/gofrs/flock"}},
		"internal/hub/hubtest": {},
		"internal/published": {
			ours:   []string{"internal/hub", "internal/convert", "internal/modelfolder"},
			others: graphs,
		},
		"internal/golden": {ours: []string{"internal/weights", "internal/engine"}, others: graphs},
		"dataset":         {ours: []string{"internal/spill"}, others: []string{"github.com/edsrzf/mmap-go", "github.com/gofrs/flock"}},

		// Training: the loop knows no method, a method no file, and a recipe joins
		// them.
		"internal/train":    {ours: []string{"internal/weights"}, others: graphs},
		"internal/evaluate": {ours: []string{"metrics"}},
		"internal/method": {
			ours: append(networks(), "internal/align", "internal/loss", "internal/train",
				"dataset", "tokenizer", "internal/decode", "internal/evaluate"),
			others: graphs,
		},
		"internal/batches": {ours: []string{"dataset", "internal/method", "internal/imageproc", "tokenizer"}},
		"internal/recipe": {
			ours: append(networks(), "internal/method", "internal/batches", "internal/train",
				"internal/modelfolder", "internal/weights", "dataset", "internal/imageproc", "tokenizer",
				"internal/align", "internal/decode", "metrics", "models"),
			others: graphs,
		},

		// What users import.
		"captioner": {
			ours: append(networks(), "internal/align", "internal/imageproc", "tokenizer",
				"internal/decode", "internal/zerocap", "internal/modelfolder", "internal/engine"),
			others: graphs,
		},
		"internal/bench": {
			ours: append(networks(), "internal/decode", "internal/imageproc", "internal/modelfolder",
				"internal/weights"),
			others: graphs,
		},
		"serve": {ours: []string{"captioner"}},
		"batch": {ours: []string{"captioner"}},
	}
}

// isCommand tells whether the package is a program: only programs import
// whatever they need.
func isCommand(folder string) bool {
	return hasFolder(folder, "cmd") || hasFolder(folder, "models/recipes") || folder == "reference/peers"
}
