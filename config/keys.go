package config

import (
	"time"
)

// keys is one table of the file: every key it may have.
type keys map[string]setter

// later are keys of the file's contract that this version does not implement: a fault, never ignored.
func later(section string) []string {
	switch section {
	case "slack":
		return []string{"ops_channel"}
	case "web":
		return []string{"tls_cert", "tls_key", "tokens"}
	case "calls":
		return []string{"voicemail", "voicemail_prompt"}
	}
	return nil
}

func (g *Gateway) keys() keys {
	return keys{
		"name": text(&g.Name), "language": tag(&g.Language), "state_dir": filePath(&g.StateDir), "announce": text(&g.Announce),
		"announce_prompt": text(&g.AnnouncePrompt), "drain": drain(&g.Drain),
	}
}

func (k *Store) keys(s Secrets) keys {
	return keys{"url": storeURL(&k.URL, s), "keep": duration(&k.Keep, 24*time.Hour, 10*365*24*time.Hour)}
}

func (k *Slack) keys(s Secrets) keys {
	return keys{
		"mode": oneOf(&k.Mode, "socket", "http", "off"), "bot_token": secret(&k.BotToken, s), "app_token": secret(&k.AppToken, s),
		"signing_secret": secret(&k.SigningSecret, s), "command": text(&k.Command), "allow_users": list(&k.AllowUsers),
		"allow_groups": list(&k.AllowGroups), "allow_channels": list(&k.AllowChannels), "admins": list(&k.Admins),
		"see_numbers": list(&k.SeeNumbers), "api_url": apiURL(&k.APIURL),
	}
}

func (w *Web) keys() keys { return keys{"listen": hostPort(&w.Listen)} }

func (c *Calls) keys() keys {
	return keys{
		"trunks": list(&c.Trunks), "ring": duration(&c.Ring, time.Second, 5*time.Minute),
		"setup": duration(&c.Setup, time.Second, 2*time.Minute), "first_response": duration(&c.FirstResponse, time.Second, 30*time.Second),
		"rounds": integer(&c.Rounds, 1, 20), "pause": duration(&c.Pause, 0, 24*time.Hour),
		"page_limit": duration(&c.PageLimit, 10*time.Second, 24*time.Hour), "max_duration": duration(&c.MaxDuration, 5*time.Second, time.Hour),
		"confirm": oneOf(&c.Key.Confirm, "key", "answer"), "confirm_key": digit(&c.Key.ConfirmKey, false), "repeat_key": digit(&c.Key.RepeatKey, true),
		"confirm_after": duration(&c.Key.ConfirmAfter, 0, 30*time.Second), "answer_min": duration(&c.Key.AnswerMin, 0, time.Minute),
		"accept_unknown": boolean(&c.Key.AcceptUnknown), "prompt": text(&c.Prompt),
		"busy_retry": duration(&c.BusyRetry, time.Second, time.Hour), "busy_max": integer(&c.BusyMax, 0, 20), "region": text(&c.Region),
	}
}

func (l *Limits) keys() keys {
	return keys{
		"calls_per_number_per_hour": integer(&l.PerNumberPerHour, 1, 1000), "pages_per_asker_per_hour": integer(&l.PerAskerPerHour, 1, 1000),
		"pages_per_person": integer(&l.PerPerson, 1, 1000),
		"prefixes_allowed": list(&l.PrefixesAllowed), "extra_forbidden": list(&l.ExtraForbidden),
	}
}

func (s *SIP) keys() keys {
	return keys{
		"bind": text(&s.Bind), "public_address": text(&s.PublicAddress), "local_nets": list(&s.LocalNets),
		"keepalive": duration(&s.Keepalive, 0, time.Hour), "user_agent": text(&s.UserAgent), "dscp": integer(&s.DSCP, 0, 63),
	}
}

func (m *Media) keys() keys {
	return keys{
		"ports": portRange(&m.PortMin, &m.PortMax), "address": address(&m.Address), "latch": oneOf(&m.Latch, "same_ip", "off", "any"),
		"dscp": integer(&m.DSCP, 0, 63),
	}
}

func (l *Log) keys() keys {
	return keys{"level": oneOf(&l.Level, "debug", "info", "warn", "error"), "format": oneOf(&l.Format, "auto", "text", "json")}
}

func (t *Trunk) keys(s Secrets) keys {
	return keys{
		"kind": oneOf(&t.Kind, "carrier", "pbx"), "addresses": list(&t.Addresses), "transport": transport(&t.Transport, &t.LargeByTCP),
		"user": text(&t.Account.User), "auth_user": text(&t.Account.AuthUser), "password": secret(&t.Account.Password, s),
		"domain": text(&t.Account.Domain), "caller_id": text(&t.Account.CallerID), "display_name": text(&t.Account.DisplayName),
		"register": boolean(&t.Register.On), "registrar": text(&t.Register.Registrar), "register_expires": integer(&t.Register.Expires, 60, 86_400),
		"register_retry": duration(&t.Register.Retry, time.Second, 15*time.Minute), "contact_user": text(&t.Register.ContactUser),
		"register_by": oneOf(&t.Register.By, "each", "lease"),
		"nat":         oneOf(&t.NAT, "auto", "off", "on"),
		"probe":       oneOf(&t.Probe, "options", "register", "off"),
		"srtp":        oneOf(&t.SRTP, "off", "optional", "required"),
		"codecs":      listOf(&t.Codecs, "PCMU", "PCMA"), "prefixes": prefixes(&t.Prefixes), "bind": text(&t.Bind), "peers": list(&t.Peers),
		"number_format": oneOf(&t.Format.Style, "e164", "e164_no_plus", "national", "as_is"), "country": text(&t.Format.Country),
		"national_prefix": digits(&t.Format.NationalPrefix), "international_prefix": digits(&t.Format.InternationalPrefix),
		"dial_prefix": digits(&t.Format.DialPrefix), "outbound_proxy": text(&t.OutboundProxy), "dtmf": dtmf(&t.DTMF), "test_number": text(&t.TestNumber),
		"tls_ca": filePath(&t.TLS.CA), "tls_cert": filePath(&t.TLS.Cert), "tls_key": keyFile(&t.TLS.Key, &t.TLS.KeyText, s),
		"tls_server_name": text(&t.TLS.ServerName), "tls_min": oneOf(&t.TLS.Min, "1.2", "1.3"),
		"answer_supervision": oneOf(&t.AnswerSupervision, "real", "none"),
	}.with(t.Identity.keys(), t.Target.keys(), t.Lines.keys())
}

func (p *Person) keys(phones *[]string) keys {
	return keys{
		"name": text(&p.Name), "aliases": list(&p.Aliases), "phones": list(phones), "slack": text(&p.Slack), "email": text(&p.Email),
		"language": tag(&p.Language), "tz": zone(&p.TimeZone), "confirm": oneOf(&p.Confirm, "key", "answer"),
	}
}

func (p *Phone) keys() keys {
	return keys{
		"number": text(&p.Number), "label": text(&p.Label), "trunk": text(&p.Trunk), "ring": duration(&p.Ring, time.Second, 5*time.Minute),
		"voicemail_after": duration(&p.VoicemailAfter, time.Second, 5*time.Minute),
	}
}

func (g *Group) keys(s Secrets) keys {
	return keys{
		"members": list(&g.Members), "strategy": oneOf(&g.Strategy, "hunt", "all"),
		"confirmations": oneOf(&g.Confirmations, "first", "all"), "prompt": text(&g.Prompt),
	}.with(g.Source.keys(s))
}
