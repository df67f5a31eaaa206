package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	_ "time/tzdata" // people's time zones, where the system brings none

	"telgate/config"
)

// loadConfig reads the configuration from where it is found first. Its faults end a command with exitUsage.
func (a *app) loadConfig() (config.Config, error) { return a.readConfig(false) }

// readConfig is loadConfig; lenient forgives secrets that cannot be had here, such as a service's own.
func (a *app) readConfig(lenient bool) (config.Config, error) {
	places := config.Places(a.cli.Config, a.env.getenv)
	for _, place := range places {
		b, err := a.env.readFile(place)
		if errors.Is(err, fs.ErrNotExist) && len(places) > 1 {
			continue
		}
		if err != nil {
			return config.Config{}, withStatus(exitUsage, fmt.Errorf("read the configuration: %w", err))
		}
		cfg, err := config.Load(string(b), config.Secrets{
			Getenv: a.env.getenv, ReadFile: a.env.readFile, Lenient: lenient, Dir: filepath.Dir(place),
		})
		cfg.File = config.NewFile(place, string(b))
		if faults, ok := errors.AsType[config.Faults](err); ok {
			return config.Config{}, withStatus(exitUsage, cfg.File.Faulty(a.withMeaning(cfg, faults)))
		}
		return cfg, err
	}
	return config.Config{}, withStatus(exitUsage, fmt.Errorf("no configuration in %s: copy the shipped config.toml there, or name one with --config", strings.Join(places, ", ")))
}

// withMeaning adds to the faults of a file's shape what the rooms say of the rest of it, so that all are told at once.
func (a *app) withMeaning(cfg config.Config, shape config.Faults) config.Faults {
	if len(shape) == 1 && shape[0].Path == config.Syntax {
		return shape
	}
	shape = append(shape, cfg.Missing...)
	_, more, _ := wire(cfg, a.env, slog.New(slog.DiscardHandler), rules{slack: true, register: registerFull, probe: true})
	return append(shape, more.Without(shape)...)
}

// logger writes to stderr as the configuration and flags say.
func (a *app) logger(cfg config.Log) (*slog.Logger, error) {
	level, format := cfg.Level, cfg.Format
	if a.cli.LogLevel != "" {
		level = a.cli.LogLevel
	}
	if a.cli.LogFormat != "" {
		format = a.cli.LogFormat
	}
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, withStatus(exitUsage, fmt.Errorf("--log-level %q is not debug, info, warn or error", level))
	}
	options := &slog.HandlerOptions{Level: l}
	switch format {
	case "json":
		return slog.New(slog.NewJSONHandler(a.env.err, options)), nil
	case "text", "auto":
		return slog.New(slog.NewTextHandler(a.env.err, options)), nil
	}
	return nil, withStatus(exitUsage, fmt.Errorf("--log-format %q is not auto, text or json", format))
}
