package config

import "path/filepath"

// Places are where the configuration is looked for, in order; the first that exists is used. A named file is the only
// place.
func Places(flag string, getenv func(string) string) []string {
	if flag != "" {
		return []string{flag}
	}
	if env := getenv("TELGATE_CONFIG"); env != "" {
		return []string{env}
	}
	places := []string{"config.toml"}
	if dir := getenv("XDG_CONFIG_HOME"); dir != "" {
		places = append(places, filepath.Join(dir, "telgate", "config.toml"))
	} else if home := getenv("HOME"); home != "" {
		places = append(places, filepath.Join(home, ".config", "telgate", "config.toml"))
	}
	return append(places, "/etc/telgate/config.toml")
}
