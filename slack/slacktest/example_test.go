package slacktest_test

import (
	"fmt"
	"net/http"
	"net/url"

	"telgate/slack/slacktest"
)

func Example() {
	w, err := slacktest.New(slacktest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Close()
	w.AddUser(slacktest.User{ID: "U0ADA", Name: "ada"})
	w.AddChannel(slacktest.Channel{ID: "C0OPS", Name: "ops", BotIn: true})

	resp, err := http.PostForm(w.APIURL()+"chat.postMessage", url.Values{
		"token": {w.Config().BotToken}, "channel": {"C0OPS"}, "text": {"Calling ada for <@U0ADA>."},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	for _, m := range w.Seen("U0ADA", "C0OPS") {
		fmt.Println(m.Plain(), m.Mentions)
	}
	// Output: Calling ada for <@U0ADA>. [U0ADA]
}
