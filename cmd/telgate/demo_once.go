package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"telgate"
	"telgate/media/mediatest"
	"telgate/prompts"
	"telgate/sip/siptest"
	"telgate/slack/slacktest"
)

const (
	demoLimit   = 25 * time.Second        // of the whole page
	demoRinging = time.Second             // before it is answered
	demoLead    = 1500 * time.Millisecond // from the answer to the first word: who picks up brings the phone to the ear
	demoEnough  = 0.9                     // of the alert's seconds
)

// once plays one page by itself: somebody types, the phone rings, is answered, hears the alert, and 1 is pressed.
func (d *demo) once(ctx context.Context, file *os.File) error {
	ctx, cancel := context.WithTimeout(ctx, demoLimit)
	defer cancel()
	cards := d.app.env.out
	if d.app.cli.JSON {
		cards = d.app.env.err
	}
	shown := d.showCards(ctx, cards, true)
	events := d.showEvents(ctx)
	const text = "/tel alice database is down"
	_, _ = fmt.Fprintf(cards, "grace types %q in #ops\n", text)
	if answer, err := d.workspace.Type(ctx, demoAsker, demoChannel, text); err != nil || answer != "" {
		return fmt.Errorf("the command was not taken: %q, %w", answer, err)
	}
	var ring *siptest.Ring
	select {
	case ring = <-d.phone.Calls():
	case <-ctx.Done():
		return errors.New("the phone did not ring")
	}
	if err := d.answerAndPress(ctx, ring, cards); err != nil {
		return err
	}
	<-ring.Over()
	if err := <-events; err != nil {
		return err
	}
	card := <-shown
	return d.judge(ring, card, cards, file)
}

// answerAndPress is what Alice does.
func (d *demo) answerAndPress(ctx context.Context, ring *siptest.Ring, say io.Writer) error {
	_, _ = fmt.Fprintf(say, "the phone %s rings\n", ring.User())
	pickUp := time.NewTimer(demoRinging)
	defer pickUp.Stop()
	select {
	case <-pickUp.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ring.Answer(ctx); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(say, "alice picks up and listens")
	alert := mediatest.Samples(demoLead) + len(d.gateway.sounds.PCM(prompts.NameAlert, "en"))
	if err := ring.Ear().Wait(ctx, func(c mediatest.Count) bool { return mediatest.Samples(c.Total) >= alert }); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(say, "alice presses 1")
	return ring.Mouth().Press(ctx, "1", mediatest.Press{})
}

// judge is the verdict: what the phone heard, and what the card says.
func (d *demo) judge(ring *siptest.Ring, card slacktest.Message, say io.Writer, file *os.File) error {
	heard := ring.Ear()
	if file != nil {
		if err := writeHeard(file, heard.Heard()); err != nil {
			return err
		}
	}
	alert := mediatest.Share(heard.HeardTogether(), d.gateway.sounds.PCM(prompts.NameAlert, "en"))
	thanks := mediatest.Share(heard.HeardTogether(), d.gateway.sounds.PCM(prompts.NameConfirmed, "en"))
	_, _ = fmt.Fprintf(say, "the phone heard %.1f s: %.0f %% of the alert, %.0f %% of the thanks; then it was %s\n",
		heard.Count().Total.Seconds(), 100*alert, 100*thanks, ring.Why())
	switch {
	case alert < demoEnough:
		return errors.New("the phone did not hear the alert")
	case !strings.Contains(card.Plain(), "Confirmed"):
		return fmt.Errorf("the card does not say confirmed:\n%s", card.Plain())
	}
	return nil
}

func writeHeard(f *os.File, pcm []int16) error {
	return errors.Join(mediatest.WriteWAV(f, pcm), f.Close())
}

// showEvents prints the events of the first page where JSON is wanted, and tells when it has ended.
func (d *demo) showEvents(ctx context.Context) <-chan error {
	ended := make(chan error, 1)
	changed := d.gateway.pager.Changed(ctx)
	go func() {
		id, ok := <-changed
		if !ok {
			ended <- errors.New("no page was accepted")
			return
		}
		result := telgate.Result("")
		for ev := range d.gateway.pager.Follow(ctx, id) {
			if d.app.cli.JSON {
				_, _ = fmt.Fprintf(d.app.env.out, "%s\n", ev.JSON(d.app.cli.ShowNumbers))
			}
			result = ev.Result
		}
		if result != telgate.Confirmed {
			ended <- fmt.Errorf("the page ended %q", result)
			return
		}
		ended <- nil
	}()
	return ended
}
