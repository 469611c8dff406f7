package redis

import (
	"bufio"
	"context"
	"net"
	"time"

	"tendon.dev/redis/internal/core"
	"tendon.dev/redis/internal/stream"
)

// goConnection is a connection that Go has made and still speaks on alone, before libtendon does.
type goConnection struct {
	net.Conn
	in *bufio.Reader
}

// Read gives libtendon what is left in the buffer first.
func (c *goConnection) Read(to []byte) (int, error) { return c.in.Read(to) }

// do sends the requests of a batch and delivers their replies.
func (c *goConnection) do(ctx context.Context, b *core.Batch, sink core.Sink) error {
	deadline, _ := ctx.Deadline() // none: the zero time, which is no deadline
	if err := c.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := c.Write(b.AppendRESP(nil)); err != nil {
		return err
	}
	for position := 0; position < b.Len(); position++ {
		tape, err := core.ReadTape(c.in)
		if err != nil {
			return err
		}
		sink.Deliver(position, tape, nil)
	}
	return nil
}

// needsGo says whether Go must make the connections: for a Dialer, TLS or hooks of Go, or to speak
// on them before libtendon does.
func (o *Options) needsGo(list []Hook) bool {
	for _, hook := range list {
		if wrapsDial(hook) {
			return true
		}
	}
	return o.Dialer != nil || o.OnConnect != nil || len(unmappable(o.TLSConfig)) > 0
}

// connector returns what makes the connections when Go must, or nil when libtendon can.
func (o *Options) connector(list []Hook) stream.Dial {
	if !o.needsGo(list) {
		return nil
	}
	dial := DialHook(o.NewDialer())
	if o.Dialer != nil {
		dial = o.Dialer
	}
	for i := len(list) - 1; i >= 0; i-- {
		dial = list[i].DialHook(dial)
	}
	return func(ctx context.Context) (net.Conn, error) {
		conn, err := dial(ctx, o.Network, o.Addr)
		if err != nil || conn == nil {
			return nil, err
		}
		prepared := &goConnection{conn, bufio.NewReader(conn)}
		if err := o.prepare(ctx, prepared); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return prepared, conn.SetDeadline(time.Time{})
	}
}

// prepare logs in and calls OnConnect, where the options ask for it.
func (o *Options) prepare(ctx context.Context, conn *goConnection) error {
	username, password, err := o.credentials(ctx)
	if err != nil {
		return err
	}
	provided := o.CredentialsProvider != nil || o.CredentialsProviderContext != nil
	if o.OnConnect == nil && !provided {
		return nil
	}
	c := newConn(&engine{}, place{raw: conn}, nil)
	if password != "" || provided {
		if err := c.AuthACL(ctx, textOr(username, "default"), password).Err(); err != nil {
			return err
		}
	}
	if o.OnConnect == nil {
		return nil
	}
	return o.OnConnect(ctx, c)
}

// credentials asks the provider that counts, at every connect.
func (o *Options) credentials(ctx context.Context) (username, password string, err error) {
	switch {
	case o.CredentialsProviderContext != nil:
		return o.CredentialsProviderContext(ctx)
	case o.CredentialsProvider != nil:
		username, password = o.CredentialsProvider()
		return username, password, nil
	}
	return o.Username, o.Password, nil
}

// NewDialer makes the function by which Go connects: over TCP or a Unix socket, and with TLS if
// TLSConfig is set.
func (o *Options) NewDialer() func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if o.TLSConfig == nil {
			return (&net.Dialer{Timeout: o.DialTimeout}).DialContext(ctx, network, addr)
		}
		config := o.TLSConfig.Clone()
		if config.ServerName == "" && network != "unix" {
			config.ServerName, _, _ = net.SplitHostPort(addr)
		}
		return dialTLS(ctx, network, addr, config)
	}
}

// NewDialer makes the function by which Go connects with these options.
func NewDialer(opt *Options) func(ctx context.Context, network, addr string) (net.Conn, error) {
	own := *opt
	own.fill()
	return own.NewDialer()
}
