package config

import (
	"fmt"
	"path/filepath"
	"strings"
)

// File is where a configuration comes from. The zero File is a configuration that was made by a program.
type File struct {
	path   string
	source string
	lines  map[string]int
}

// NewFile remembers a file's path, its text and the lines of its keys.
func NewFile(path, source string) File { return File{path, source, indexLines(source)} }

// Path is the file's path, "" for the zero File.
func (f File) Path() string { return f.path }

// Faulty names the file before its faults and adds their lines where those are certain.
func (f File) Faulty(faults Faults) error {
	if f.path == "" {
		return faults
	}
	for i := range faults {
		if key, _, _ := strings.Cut(faults[i].Path, "["); faults[i].Line == 0 {
			faults[i].Line = f.lines[key]
		}
	}
	return fmt.Errorf("%s has faults:\n%w", f.path, faults)
}

// Beside is a path as written in the file: relative ones begin at the file.
func (f File) Beside(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(f.path), path)
}
