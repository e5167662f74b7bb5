package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The logs of a run. Updates are counted from 1.
const (
	logFile     = "log.jsonl"   // an object a line: the losses of an update, or an evaluation
	lossesFile  = "log.csv"     // the same losses as a table
	scoresFile  = "val.csv"     // the scores of evaluations as a table
	samplesFile = "samples.tsv" // update, what of, text
)

// journal writes the logs.
type journal struct{ log, table, scores, samples *os.File }

// openJournal opens the logs of the run in dir for appending, without the lines of
// updates beyond updates: those were done after the checkpoint that the run resumes
// from, and will be done again. A run that is not judged has no scores and samples.
func openJournal(dir string, updates int, judged bool) (*journal, error) {
	j := &journal{}
	files := []struct {
		file   **os.File
		name   string
		number func(line string) (update int, ok bool)
	}{
		{&j.log, logFile, numberInObject},
		{&j.table, lossesFile, numberInTable},
		{&j.scores, scoresFile, numberInTable},
		{&j.samples, samplesFile, numberInTable},
	}
	if !judged {
		files = files[:2]
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		err := cutBack(path, updates, f.number)
		if err == nil {
			*f.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("train: %w", err), j.close())
		}
	}
	return j, nil
}

func numberInObject(line string) (update int, ok bool) {
	line, ok = strings.CutPrefix(line, `{"update":`)
	number, _, _ := strings.Cut(line, ",")
	update, err := strconv.Atoi(number)
	return update, ok && err == nil
}

// numberInTable takes a table's heading for update 0.
func numberInTable(line string) (update int, ok bool) {
	if strings.HasPrefix(line, heading) {
		return 0, true
	}
	update, err := strconv.Atoi(line[:max(0, strings.IndexAny(line, ",\t"))])
	return update, err == nil
}

const heading = "update,"

// cutBack removes the lines of a log from the first on that belongs to a later update
// or was cut off by a kill.
func cutBack(path string, updates int, number func(line string) (update int, ok bool)) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	keep := 0
	for line := range bytes.Lines(data) {
		update, ok := number(string(line))
		if !ok || update > updates || !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		keep += len(line)
	}
	if keep == len(data) {
		return nil
	}
	temporary := path + ".tmp"
	_ = os.Remove(temporary) // left by a run killed right here
	if err := writeSynced(temporary, data[:keep]); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// losses logs an update; rate is of its examples a second, the one number that no
// other run will repeat.
func (j *journal) losses(update int, losses Losses, rate float64) error {
	losses = append(losses[:len(losses):len(losses)], Loss{"examples_per_second", math.Round(rate*10) / 10})
	return errors.Join(writeObject(j.log, update, losses, ""), writeRow(j.table, update, losses))
}

// evaluation logs what a look at the run gave.
func (j *journal) evaluation(update int, e Evaluation) error {
	rest := fmt.Sprintf(`,"best":%v`, e.Best)
	if len(e.Samples) > 0 {
		data, err := json.Marshal(e.Samples)
		if err != nil {
			return fmt.Errorf("train: log: %w", err)
		}
		rest += `,"samples":` + string(data)
	}
	if err := errors.Join(writeObject(j.log, update, e.Scores, rest), writeRow(j.scores, update, e.Scores)); err != nil {
		return err
	}
	cell := strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")
	for _, s := range e.Samples {
		if _, err := fmt.Fprintf(j.samples, "%d\t%s\t%s\n", update, cell.Replace(s.Of), cell.Replace(s.Text)); err != nil {
			return fmt.Errorf("train: %w", err)
		}
	}
	return nil
}

func writeObject(file *os.File, update int, numbers Losses, rest string) error {
	var line bytes.Buffer
	fmt.Fprintf(&line, `{"update":%d`, update)
	for _, n := range numbers.known() {
		value, err := json.Marshal(n.Value)
		if err != nil {
			return fmt.Errorf("train: log: %s: %w", n.Name, err)
		}
		fmt.Fprintf(&line, ",%q:%s", n.Name, value)
	}
	line.WriteString(rest + "}\n")
	if _, err := file.Write(line.Bytes()); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// writeRow writes a line of a table, and its heading first where it is empty.
func writeRow(file *os.File, update int, numbers Losses) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	names, row := strings.TrimSuffix(heading, ","), strconv.Itoa(update)
	for _, n := range numbers {
		names += "," + n.Name
		row += ","
		if !math.IsNaN(n.Value) {
			row += strconv.FormatFloat(n.Value, 'g', -1, 64)
		}
	}
	if info.Size() == 0 {
		row = names + "\n" + row
	}
	if _, err := file.WriteString(row + "\n"); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// open lists the files that are.
func (j *journal) open() []*os.File {
	return slices.DeleteFunc([]*os.File{j.log, j.table, j.scores, j.samples}, func(f *os.File) bool { return f == nil })
}

func (j *journal) sync() error {
	for _, file := range j.open() {
		if err := file.Sync(); err != nil {
			return fmt.Errorf("train: %w", err)
		}
	}
	return nil
}

func (j *journal) close() error {
	var errs []error
	for _, file := range j.open() {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}
