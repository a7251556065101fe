package main

import (
	"bufio"
	"net"
)

// splitListener divides the connections of a port by their first byte: HTTP/2 begins with PRI.
type splitListener struct {
	net.Listener
	grpc, http *oneKind
}

type oneKind struct {
	net.Listener
	connections chan net.Conn
}

func (l *oneKind) Accept() (net.Conn, error) {
	connection, isOpen := <-l.connections
	if !isOpen {
		return nil, net.ErrClosed
	}
	return connection, nil
}

type peekedConnection struct {
	net.Conn
	reader *bufio.Reader
}

func (c *peekedConnection) Read(to []byte) (int, error) { return c.reader.Read(to) }

func newSplitListener(listener net.Listener) *splitListener {
	kind := func() *oneKind { return &oneKind{listener, make(chan net.Conn)} }
	return &splitListener{listener, kind(), kind()}
}

func (l *splitListener) run() error {
	for {
		connection, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			reader := bufio.NewReader(connection)
			first, err := reader.Peek(1)
			if err != nil {
				connection.Close()
				return
			}
			kind := l.http
			if first[0] == 'P' {
				kind = l.grpc
			}
			kind.connections <- &peekedConnection{connection, reader}
		}()
	}
}
