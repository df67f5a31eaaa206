package siptest

import "fmt"

// Early opens the call's media before it is answered, with a status line of a provisional response, "183 Session
// Progress": from then on the mouth is heard, if the caller listens.
func (r *Ring) Early(status string) error {
	sdp, err := r.handset.Answer([]byte(r.invite.Body))
	if err != nil {
		return fmt.Errorf("open early media: %w", err)
	}
	if !r.reply(status, string(sdp)) {
		return fmt.Errorf("open early media: the call is over (%s)", r.Why())
	}
	return nil
}
