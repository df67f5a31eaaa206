package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// Changed names the keys in which two files differ, sorted. What stands in only one of them differs, also where it is the
// default. Values are not told: they may be secret.
func Changed(before, after File) []string {
	a, b := map[string]any{}, map[string]any{}
	flatten(a, "", decoded(before.source))
	flatten(b, "", decoded(after.source))
	differ := map[string]bool{}
	for key, v := range a {
		if w, there := b[key]; !there || !reflect.DeepEqual(v, w) {
			differ[key] = true
		}
	}
	for key := range b {
		if _, there := a[key]; !there {
			differ[key] = true
		}
	}
	return slices.Sorted(maps.Keys(differ))
}

func decoded(source string) map[string]any {
	var file map[string]any
	if _, err := toml.Decode(source, &file); err != nil {
		return nil // it was loaded before, so that there is no fault
	}
	return file
}

// flatten writes the values of tables by their whole path; a list, also one of tables, is one value.
func flatten(into map[string]any, path string, table map[string]any) {
	for key, v := range table {
		at := strings.TrimPrefix(path+"."+key, ".")
		if inner, ok := v.(map[string]any); ok {
			flatten(into, at, inner)
		} else {
			into[at] = v
		}
	}
	if len(table) == 0 && path != "" { // such as a person without keys
		into[path] = nil
	}
}
