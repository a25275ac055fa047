package main

import (
	"context"
	"net"
	"syscall"
)

// listen opens the socket. Its queue is as long as the system grants, which is what Go asks for.
func listen(address string) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, connection syscall.RawConn) error {
		return connection.Control(func(descriptor uintptr) {
			// Accepted connections inherit it (tcp(7)). It is what the origin asks for, and for its
			// reasons; where it cannot be chosen, the machine's preference has to do.
			_ = syscall.SetsockoptString(int(descriptor), syscall.IPPROTO_TCP, syscall.TCP_CONGESTION,
				"reno")
		})
	}}
	return config.Listen(context.Background(), "tcp", address)
}
