package golden

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/weights"
)

// Torch opens the tensors that a script in reference computed under a name, and gives
// into what it wrote beside them. The test fails where they are not the tensors that it
// wrote.
func Torch(t testing.TB, name string, into ...any) *weights.File {
	t.Helper()
	dir := Carried(t, name)
	raw, err := os.ReadFile(filepath.Join(dir, "train.json"))
	if err != nil {
		t.Fatal(err)
	}
	var written struct {
		SHA256 string `json:"sha256"`
	}
	for _, v := range append(into, &written) {
		if err := json.Unmarshal(raw, v); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "train.safetensors")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != written.SHA256 {
		t.Fatalf("%s is not the file that the script wrote", path)
	}
	return Load(t, path)
}

// Store holds the weights of such a file, which are named weight.….
func Store(t testing.TB, file *weights.File) *model.Store {
	t.Helper()
	store := model.NewStore()
	for _, name := range file.Names() {
		weight, ok := strings.CutPrefix(name, "weight.")
		if !ok {
			continue
		}
		value := tensors.FromFlatDataAndDimensions(Floats(t, file, name), tensor(t, file, name).Shape...)
		if _, err := store.CreateVariable(weights.VariablePath(weight), value); err != nil {
			t.Fatal(err)
		}
	}
	return store
}
