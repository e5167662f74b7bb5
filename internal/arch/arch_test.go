package arch

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// source is one Go file and what it imports.
type source struct {
	path    string // from the repository's root, with slashes
	imports []string
}

func TestImports(t *testing.T) {
	root := filepath.Join("..", "..")
	module := modulePath(t, root)
	sources := parse(t, root)
	if len(sources) == 0 {
		t.Fatal("found no Go files")
	}
	for _, s := range sources {
		for _, violation := range violations(module, s, table()) {
			t.Error(violation)
		}
	}
}

// TestViolations holds that the test above can fail.
func TestViolations(t *testing.T) {
	const module = "example.org/m"
	rules := map[string]rule{"a": {ours: []string{"b"}, others: []string{"other.org/x"}}}
	for _, tt := range []struct {
		path, imported string
		allowed        bool
	}{
		{"a/a.go", "fmt", true},
		{"a/a.go", module + "/b", true},
		{"a/a.go", module + "/c", false},
		{"a/a.go", module + "/b/c", false},
		{"a/a.go", "other.org/x/y", true},
		{"a/a.go", "other.org/xyz", false},
		{"a/a_test.go", module + "/c", true},
		{"a/a_test.go", "other.org/z", true},
		{"a/a_test.go", module + "/cmd/d", false},
		{"cmd/d/main.go", module + "/c", true},
		{"cmd/d/main.go", "other.org/z", true},
		{"new/new.go", "fmt", false},
		{"new/new_test.go", module + "/a", true},
	} {
		got := violations(module, source{tt.path, []string{tt.imported}}, rules)
		if (len(got) == 0) != tt.allowed {
			t.Errorf("%s importing %s: %v, want allowed: %v", tt.path, tt.imported, got, tt.allowed)
		}
	}
}

// violations returns a line for each import of the file that the rules do not
// allow.
func violations(module string, s source, rules map[string]rule) []string {
	folder := path.Dir(s.path)
	allowed, known := rules[folder]
	isTest := strings.HasSuffix(s.path, "_test.go")
	if !known && !isTest && !isCommand(folder) {
		return []string{fmt.Sprintf("package %s is not in the table", folder)}
	}
	var lines []string
	for _, imported := range s.imports {
		ours, isOurs := strings.CutPrefix(imported, module+"/")
		ok := false
		switch {
		case isOurs && isCommand(ours):
		case isTest, isCommand(folder):
			ok = true
		case isOurs:
			ok = slices.Contains(allowed.ours, ours)
		case isStandard(imported):
			ok = true
		default:
			ok = slices.ContainsFunc(allowed.others, func(prefix string) bool {
				return hasFolder(imported, strings.TrimSuffix(prefix, "/"))
			})
		}
		if !ok {
			lines = append(lines, fmt.Sprintf(
				"package %s imports %s (%s), which the table does not allow", folder, imported, s.path))
		}
	}
	return lines
}

// isStandard tells an import of the standard library: its first element has
// no dot.
func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// hasFolder tells whether path is folder or lies in it.
func hasFolder(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// parse reads the imports of every Go file under root, whatever its build
// tags: an engine that is rarely built obeys the table too.
func parse(t *testing.T, root string) []source {
	t.Helper()
	var sources []source
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if file != root && isIgnored(entry.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(file) != ".go" || isIgnored(entry.Name()) {
			return nil
		}
		imports, err := importsOf(file)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		sources = append(sources, source{filepath.ToSlash(relative), imports})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

// importsOf returns the paths that a file imports.
func importsOf(file string) ([]string, error) {
	syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var imports []string
	for _, spec := range syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		imports = append(imports, imported)
	}
	return imports, nil
}

// isIgnored tells the files and folders that the go command leaves out.
func isIgnored(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata"
}

// modulePath reads the module's name, which `make rename` changes, from go.mod.
func modulePath(t *testing.T, root string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if name, ok := strings.CutPrefix(line, "module "); ok {
			return strings.TrimSpace(name)
		}
	}
	t.Fatal("go.mod names no module")
	return ""
}
