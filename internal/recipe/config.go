package recipe

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

//go:embed defaults
var defaults embed.FS

// Override is one field of a configuration, its names joined by dots, and its value,
// which JSON can say.
type Override struct {
	Path  string
	Value any
}

// ReadConfig fills config from a file, or from the configuration that this program has
// for a method where path is empty, and then from overrides. Relative paths in it are
// taken as the process sees them. A field that config lacks is an error that names it.
func ReadConfig(path, method string, overrides []Override, config any) error {
	name, read := path, os.ReadFile
	if path == "" {
		name, read = "defaults/"+method+".json", defaults.ReadFile
	}
	data, err := read(name)
	if err != nil {
		return err
	}
	if err := decodeConfig(data, config); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, o := range overrides {
		if err := o.apply(config); err != nil {
			return fmt.Errorf("%s: %w", o.Path, err)
		}
	}
	return nil
}

// apply decodes {"a": {"b": value}} over config for the path a.b: what is not named
// stays as it is.
func (o Override) apply(config any) error {
	value := o.Value
	names := strings.Split(o.Path, ".")
	for i := len(names) - 1; i >= 0; i-- {
		value = map[string]any{names[i]: value}
	}
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return decodeConfig(data, config)
}

func decodeConfig(data []byte, config any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(config)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s is a %s, want %s", wrong.Field, wrong.Value, wrong.Type)
	}
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if decoder.More() {
		return errors.New("more follows the object")
	}
	return nil
}
