package metrics

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// fakeJavaMode names the environment variable that turns the test binary into
// a java that knows one jar, and says how it fares.
const fakeJavaMode = "CUTLINE_TEST_FAKE_JAVA"

// fakeJavaHang is how long it takes when it is to take too long.
const fakeJavaHang = 20 * time.Second

// fakeJava plays `java -jar spice-1.0.jar`: it accepts the arguments and the
// input of the official protocol and no others, and scores 3/4, 0 and 1/4.
func fakeJava(mode string, args []string) int {
	in, out, err := fakeJavaArguments(mode, args)
	if err == nil && mode == "hang" {
		fmt.Fprintln(os.Stderr, "Loading classifier")
		time.Sleep(fakeJavaHang)
	}
	if err == nil && mode == "crash" {
		fmt.Fprint(os.Stderr, strings.Repeat("Parsing captions\n", 10_000))
		fmt.Fprint(os.Stderr, "Exception in thread \"main\" InaccessibleObjectException\n",
			strings.Repeat("\tat java.base/java.lang.reflect\n\n", 4))
		return 1
	}
	if err == nil && mode != "silent exit" {
		err = fakeJavaScore(mode, in, out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		return 1
	}
	return 0
}

func fakeJavaArguments(mode string, args []string) (in, out string, err error) {
	if len(args) < 7 {
		return "", "", fmt.Errorf("%d arguments", len(args))
	}
	jar := args[2]
	if _, err := os.Stat(jar); err != nil {
		return "", "", fmt.Errorf("Unable to access jarfile %s", jar)
	}
	in, rest := args[3], args[4:]
	if mode != "scores, no cache" {
		if _, err := os.Stat(rest[1]); rest[0] != "-cache" || err != nil {
			return "", "", fmt.Errorf("no cache: %q, %v", rest, err)
		}
		rest = rest[2:]
	}
	out = rest[1]
	want := []string{"-Xmx8G", "-jar", "-out", "-subset", "-silent"}
	if got := slices.Concat(args[:2], rest[:1], rest[2:]); !slices.Equal(got, want) {
		return "", "", fmt.Errorf("arguments %q, want %q", got, want)
	}
	return in, out, nil
}

func fakeJavaScore(mode, in, out string) error {
	data, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	var items []map[string]any
	if err := json.Unmarshal(data, &items); err != nil {
		return err
	}
	var results []string
	for i, item := range items {
		caption, isText := item["test"].(string)
		refs, isList := item["refs"].([]any)
		if !isText || !isList || len(refs) == 0 || len(item) != 3 || caption != jarSamples()[i].Candidate {
			return fmt.Errorf("item %v", item)
		}
		results = append(results, fakeJavaItem(mode, item["image_id"].(string), i))
	}
	slices.Reverse(results) // the order is not part of the protocol
	return os.WriteFile(out, []byte(fakeJavaSpoil(mode, results)), 0o600)
}

func fakeJavaItem(mode, id string, i int) string {
	f := []string{"0.75", "0", "0.25"}[i]
	all, color := fmt.Sprintf(`"All":{"pr":1.0,"re":0.6,"f":%s,"fn":2.0,"numImages":1.0,"fp":0.0,"tp":3.0}`, f), "null"
	if i == 2 {
		color = "1.0"
	}
	if i == 0 {
		all = map[string]string{
			"null": `"All":{"f":null}`, "no all": `"Relation":{"f":1}`, "no f": `"All":{"pr":1}`,
			"range": `"All":{"f":1.5}`, "text": `"All":{"f":"high"}`,
		}[mode]
		if all == "" {
			all = fmt.Sprintf(`"All":{"pr":1.0,"re":0.6,"f":%s}`, f)
		}
	}
	quoted := `"` + id + `"`
	if mode == "scores, ids as numbers" && !strings.Contains(id, ".") {
		quoted = id
	}
	return fmt.Sprintf(`{"image_id":%s,"scores":{%s,"Object":{"f":1},"Color":{"pr":null,"f":%s}}}`, quoted, all, color)
}

func fakeJavaSpoil(mode string, results []string) string {
	switch mode {
	case "missing":
		results = results[1:]
	case "twice":
		results = append(results, results[2])
	case "stranger":
		results = append(results, strings.Replace(results[2], "391895", "391896", 1))
	}
	text := "[" + strings.Join(results, ",") + "]"
	switch mode {
	case "truncated":
		text = text[:len(text)-9]
	case "trailing":
		text += "[]"
	}
	return text
}
