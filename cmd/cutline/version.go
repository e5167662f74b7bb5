package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// versionCmd prints what this program was built from.
type versionCmd struct{}

func (versionCmd) Run(c *console) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return fmt.Errorf("this program was built without module information")
	}
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	fmt.Fprintf(c.out, "cutline   %s\n", orUnknown(info.Main.Version))
	revision := orUnknown(settings["vcs.revision"])
	if settings["vcs.modified"] == "true" {
		revision += " with changes"
	}
	fmt.Fprintf(c.out, "revision  %s\n", revision)
	fmt.Fprintf(c.out, "go        %s %s/%s\n", info.GoVersion, runtime.GOOS, runtime.GOARCH)
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		fmt.Fprintf(c.out, "module    %s %s\n", module.Path, module.Version)
	}
	return nil
}

// orUnknown stands in for what a build without version control cannot know.
func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
