package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"telgate"
	"telgate/directory"
)

// covers are kept in the store, where there is one, for every gateway. The file in the state directory is what commands have
// that run beside no gateway: it follows the store, and what was in it before there was one is taken into the store.
type covers struct {
	estate *estate
	file   *directory.CoverBook

	mu    sync.Mutex
	known []telgate.Cover // that store and file have in common; nil = not compared yet
}

// SaveCover keeps a cover.
func (c *covers) SaveCover(ctx context.Context, x telgate.Cover) error {
	if c.estate.store == nil {
		return c.file.SaveCover(ctx, x)
	}
	return c.estate.store.SaveCover(ctx, x) // the file follows when it is read
}

// Covers are those that end after a moment.
func (c *covers) Covers(ctx context.Context, after time.Time) ([]telgate.Cover, error) {
	if c.estate.store == nil {
		return c.file.Covers(ctx, after)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		if err := c.adopt(ctx, after); err != nil {
			return nil, err
		}
	}
	kept, err := c.estate.store.Covers(ctx, after)
	if err != nil {
		return nil, err
	}
	c.copy(ctx, kept, after)
	return kept, nil
}

// adopt takes what the file has into the store, which knows better where it has the same cover.
func (c *covers) adopt(ctx context.Context, after time.Time) error {
	old, err := c.file.Covers(ctx, after)
	if err != nil {
		return err
	}
	for _, x := range old {
		if err := c.estate.store.AddCover(ctx, x); err != nil {
			return err
		}
	}
	c.known = []telgate.Cover{}
	return nil
}

// copy has the file follow, also where a cover was ended before its time. One that cannot be written is tried again.
func (c *covers) copy(ctx context.Context, kept []telgate.Cover, now time.Time) {
	var news []telgate.Cover
	for _, x := range c.known {
		if x.Until.After(now) && !slices.ContainsFunc(kept, func(y telgate.Cover) bool { return y.ID == x.ID }) {
			x.Until = now
			news = append(news, x)
		}
	}
	for _, x := range kept {
		if !slices.ContainsFunc(c.known, func(y telgate.Cover) bool { return y.ID == x.ID && y.Until.Equal(x.Until) }) {
			news = append(news, x)
		}
	}
	for _, x := range news {
		if err := c.file.SaveCover(ctx, x); err != nil {
			return
		}
	}
	c.known = append([]telgate.Cover{}, kept...)
}
