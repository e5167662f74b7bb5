package metrics

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The official jar is not here: it needs Java 8 and 384 MB of models. These
// tests run a stand-in that speaks its protocol, which is this test binary
// itself in the role of java (fakejava_test.go).

// TestMain lets the test binary play java when SPICE starts it.
func TestMain(m *testing.M) {
	if mode := os.Getenv(fakeJavaMode); mode != "" {
		os.Exit(fakeJava(mode, os.Args[1:]))
	}
	os.Exit(m.Run())
}

func fakeJar(t *testing.T, mode string) Jar {
	t.Helper()
	t.Setenv(fakeJavaMode, mode)
	java, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Setenv("TMPDIR", filepath.Join(dir, "tmp"))
	path := filepath.Join(dir, "spice-1.0.jar")
	for _, err := range []error{
		os.Mkdir(filepath.Join(dir, "tmp"), 0o700),
		os.WriteFile(path, nil, 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return Jar{Path: path, Java: java, Memory: "8G", Cache: filepath.Join(dir, "cache")}
}

func jarSamples() []Sample {
	return []Sample{
		{ID: "391895", Candidate: "a \"red\" bike ☺ 𝄞", References: []string{"a red bike", "a bike\non a road"}},
		{ID: "7.jpg", Candidate: "a dog", References: []string{"a cat"}},
		{ID: "60623", Candidate: "a dog barks", References: []string{"a dog"}},
	}
}

func TestSPICEStandIn(t *testing.T) {
	for _, mode := range []string{"scores", "scores, ids as numbers", "scores, no cache"} {
		jar := fakeJar(t, mode)
		if mode == "scores, no cache" {
			jar.Cache = ""
		}
		got, err := SPICE(t.Context(), jarSamples(), jar)
		if err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		want := []float64{0.75, 0, 0.25} // the stand-in's, by id
		if got.Name != "spice" || !slices.Equal(got.Images, want) || math.Abs(got.Corpus-1./3) > 1e-12 {
			t.Errorf("%s: got %+v, want images %v and their mean", mode, got.Scores, want)
		}
		if len(got.Categories) != 2 || got.Categories[0].Name != "spice color" || got.Categories[1].Name != "spice object" {
			t.Fatalf("%s: categories %+v, want color and object", mode, got.Categories)
		}
		if color := got.Categories[0]; !math.IsNaN(color.Images[0]) || color.Images[2] != 1 || color.Corpus != 1 {
			t.Errorf("%s: color %+v, want null as NaN, and the mean of the others", mode, color)
		}
		noneLeft(t)
	}
}

func TestSPICEKeepsNaN(t *testing.T) {
	got, err := SPICE(t.Context(), jarSamples(), fakeJar(t, "null"))
	if err != nil || !math.IsNaN(got.Images[0]) || got.Images[2] != 0.25 || !math.IsNaN(got.Corpus) {
		t.Errorf("got %+v, %v; want NaN for null, and for the mean", got.Scores, err)
	}
}

func TestSPICERefuses(t *testing.T) {
	for _, tt := range []struct{ mode, want string }{
		{"crash", "InaccessibleObjectException"},
		{"crash", "at java.base/java.lang.reflect"},
		{"truncated", "unexpected end of JSON input"},
		{"trailing", "after top-level value"},
		{"silent exit", "wrote no results"},
		{"missing", `image "60623" is missing`},
		{"twice", `image "391895" occurs twice`},
		{"stranger", "4 images for 3"},
		{"no all", `no score "All"`},
		{"no f", `image "391895", All: no F1`},
		{"range", "F1 is 1.5"},
		{"text", `F1 is "high"`},
	} {
		_, err := SPICE(t.Context(), jarSamples(), fakeJar(t, tt.mode))
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", tt.mode, err, tt.want)
		}
		noneLeft(t)
	}
	if _, err := SPICE(t.Context(), jarSamples(), fakeJar(t, "crash")); strings.Contains(err.Error(), "Parsing") {
		t.Errorf("error %v shows more than the last lines", err)
	}
}

func TestSPICERefusesSamples(t *testing.T) {
	jar := fakeJar(t, "scores")
	for want, samples := range map[string][]Sample{
		"no samples":                 {},
		`image "a" occurs twice`:     {{"a", "x", []string{"y"}}, {"a", "x", []string{"y"}}},
		`image "b" has no reference`: {{"b", "x", nil}},
	} {
		if _, err := SPICE(t.Context(), samples, jar); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	jar.Path += ".gone"
	if _, err := SPICE(t.Context(), jarSamples(), jar); err == nil || !strings.Contains(err.Error(), "Unable to access jarfile") {
		t.Errorf("error %v, want java's own words on a missing jar", err)
	}
	jar.Java = filepath.Join(t.TempDir(), "java")
	if _, err := SPICE(t.Context(), jarSamples(), jar); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want that there is no java", err)
	}
}

func TestSPICETimeout(t *testing.T) {
	jar := fakeJar(t, "hang")
	jar.Timeout = 300 * time.Millisecond
	begin := time.Now()
	_, err := SPICE(t.Context(), jarSamples(), jar)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "Loading") {
		t.Errorf("error %v, want the deadline and what java printed", err)
	}
	if waited := time.Since(begin); waited > fakeJavaHang/2 {
		t.Errorf("waited %v for a program that does not end", waited)
	}
	noneLeft(t)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := SPICE(ctx, jarSamples(), jar); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that it was cancelled", err)
	}
}

// noneLeft fails the test if a temporary file outlives the run.
func noneLeft(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
