package weights

import (
	"fmt"
	"strings"
	"testing"
)

// module is an instance of a TorchScript class with these attributes.
func module(pairs ...string) string {
	out := "c__torch__.m\nM\n)\x81}("
	for i := 0; i < len(pairs); i += 2 {
		out += text(pairs[i]) + pairs[i+1]
	}
	return out + "ub"
}

func scriptFile(t testing.TB, program string) []byte {
	t.Helper()
	return zipOf(t, entry{name: "m/data.pkl", content: "\x80\x02" + program + "."}, entry{name: "m/data/0", content: floats(6)},
		entry{name: "m/constants.pkl", content: "\x80\x02)."}, entry{name: "m/code/__torch__/m.py", content: "import os"})
}

func TestScriptModule(t *testing.T) {
	w, v := six(0, numbers(2), numbers(1)), six(2, numbers(2), numbers(1))
	f, err := open(t, scriptFile(t, module(
		"training", "\x89", "hook", "N", "sizes", "ctorch.jit._pickle\nbuild_intlist\n](K\x01K\x02e\x85R",
		"tagged", "ctorch.jit._pickle\nrestore_type_tag\n}"+text("Dict[str, int]")+"\x86R",
		"w", w, "layers", module("0", module("w", w, "bias", v), "1", module()), "empty", "c__torch__.m\nE\n)\x81")))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(f.Names()); got != "[layers.0.bias layers.0.w w]" || f.Format() != "TorchScript archive" {
		t.Errorf("a %s of %s", f.Format(), got)
	}
	sameFloats(t, f, "layers.0.bias", 2, 3)
}

func TestScriptRefuses(t *testing.T) {
	w := six(0, numbers(2), numbers(1))
	deep := module("w", w)
	for range 70 {
		deep = module("m", deep)
	}
	// Each of forty modules holds the next twice: 2⁴⁰ paths.
	wide := module("w", w)
	for range 40 {
		wide = "c__torch__.m\nM\n)\x81}(" + text("a") + wide + "q\x00" + text("b") + "h\x00ub"
	}
	for name, tt := range map[string]struct{ program, words string }{
		"deep":         {deep, "nest more than 64 deep"},
		"wide":         {wide, "more memory"},
		"itself":       {"c__torch__.m\nM\n)\x81q\x00}" + text("m") + "h\x00sb", "nest more than 64 deep"},
		"no tensors":   {module("training", "\x89"), "no tensors in the module"},
		"no name":      {"c__torch__.m\nM\n)\x81}K\x01" + w + "sb", "no tensors in the module"},
		"other class":  {"cos\nsystem\n)\x81", `class "os.system" is not allowed`},
		"like a class": {"c__torch__evil\nM\n)\x81", "not allowed"},
		"called":       {"c__torch__.m\nM\n)R", "called with a tuple"},
		"no value":     {"ctorch.jit._pickle\nbuild_intlist\n)R", "without the value"},
		"not a module": {"K\x01", "an int, not a state dict"},
	} {
		t.Run(name, func(t *testing.T) {
			refuse(t, scriptFile(t, tt.program), tt.words)
		})
	}
	refuse(t, []byte(strings.Replace(string(scriptFile(t, module("w", w))), "m/data/0", "m/data/1", 2)), "m/data/0")
}
