package pager

import (
	"context"
	"fmt"

	"telgate"
)

// again begins a page of its own for somebody who joined one that was about to end: they were told that it is being called,
// and it will not be any more.
//
//nolint:contextcheck // it is not the page that ends whose context counts
func (p *Pager) again(joined telgate.PageID, message int64, asker *telgate.Asker, nicks []string) {
	p.work.Go(func() {
		ctx, cancel := context.WithTimeout(p.ctx, askLimit)
		defer cancel()
		receipt, err := p.Submit(ctx, telgate.Request{
			Key: fmt.Sprintf("joined %s %d", joined, message), Asker: asker.Actor, Who: nicks, Message: asker.Message, New: true, // not to the one that ends
		})
		if err != nil {
			p.env.Log.Error("a page was joined as it ended, and cannot be begun again", "page", joined, "asker", asker.ID, "err", err)
			return
		}
		p.env.Log.Info("a page was joined as it ended, and is begun again", "page", receipt.Page, "joined", joined, "asker", asker.ID)
	})
}
