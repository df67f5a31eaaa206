package web

import (
	"context"
	"net"
	"strconv"

	"telgate"
)

// actorKey is where a connection's actor is kept.
type actorKey struct{}

// As is ctx with an actor: whoever makes requests in it is that one.
func As(ctx context.Context, by telgate.Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, by)
}

func actorOf(ctx context.Context) (telgate.Actor, bool) {
	by, ok := ctx.Value(actorKey{}).(telgate.Actor)
	return by, ok
}

// peer names who is at the other end of a connection over the socket, by what the kernel says. Where it says nothing, nobody is
// named, and the request is refused.
func peer(ctx context.Context, conn net.Conn, name func(uid uint32) string) context.Context {
	local, ok := conn.(*net.UnixConn)
	if !ok {
		return ctx
	}
	uid, err := peerUID(local)
	if err != nil {
		return ctx
	}
	user := name(uid)
	if user == "" {
		user = "uid-" + strconv.FormatUint(uint64(uid), 10)
	}
	return As(ctx, telgate.Actor{ID: "local:" + user, Name: user, Local: true})
}
