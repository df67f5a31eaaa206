//go:build !linux

package media

import "net"

// socket is a UDP socket as package net has it.
type socket struct{ conn *net.UDPConn }

func detach(conn *net.UDPConn) (socket, error) { return socket{conn}, nil }

func (s socket) close() { _ = s.conn.Close() }
