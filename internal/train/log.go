package train

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// logFile holds one JSON object a line: the update, counted from 1, and its losses.
const logFile = "log.jsonl"

// openLog opens the log of the run in dir for appending, without the lines of
// updates beyond updates: those were done after the checkpoint that the run resumes
// from, and will be done again.
func openLog(dir string, updates int) (*os.File, error) {
	path := filepath.Join(dir, logFile)
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("train: %w", err)
	}
	var keep bytes.Buffer
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		var entry struct {
			Update int `json:"update"`
		}
		if json.Unmarshal(lines.Bytes(), &entry) != nil || entry.Update > updates {
			break // cut off by a kill, or about to be repeated
		}
		keep.Write(lines.Bytes())
		keep.WriteByte('\n')
	}
	if keep.Len() < len(data) {
		temporary := path + ".tmp"
		_ = os.Remove(temporary) // left by a run killed right here
		if err := writeSynced(temporary, keep.Bytes()); err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
		if err := os.Rename(temporary, path); err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return file, nil
}

// logLine writes the losses of an update.
func logLine(file *os.File, update int, losses Losses) error {
	var line bytes.Buffer
	fmt.Fprintf(&line, `{"update":%d`, update)
	for _, loss := range losses {
		value, err := json.Marshal(loss.Value)
		if err != nil {
			return fmt.Errorf("train: log: %s: %w", loss.Name, err)
		}
		fmt.Fprintf(&line, ",%q:%s", loss.Name, value)
	}
	line.WriteString("}\n")
	if _, err := file.Write(line.Bytes()); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}
