package store

import (
	"context"
	"fmt"
)

// Backup writes everything to a new file while the gateway runs. For a server it says which program does that.
func (s *Store) Backup(ctx context.Context, path string) error {
	if err := s.db.backup(ctx, path); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	return nil
}
