// rueidis. The driver of valkey-go, which is made of it and has the same API, is this one with the
// names exchanged by build.
package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/redis/rueidis"
)

const module = "github.com/redis/rueidis"

// delay=20us among the words is the tuning that rueidis documents for throughput.
func open(j *job) *client {
	network, address := j.address()
	delay, _ := time.ParseDuration(j.words["delay"])
	option := rueidis.ClientOption{
		InitAddress:       []string{address},
		TLSConfig:         j.secure,
		DisableCache:      true,
		MaxFlushDelay:     delay,
		ForceSingleClient: !j.yes("cluster"),
	}
	if network == "unix" {
		option.DialCtxFn = func(ctx context.Context, path string, dialer *net.Dialer,
			_ *tls.Config) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", path)
		}
	}
	c, err := rueidis.NewClient(option)
	if err != nil {
		die("connect", err)
	}
	made := calls(c)
	made.version = version(module)
	made.mget = func(keys []string) ([]string, error) {
		return c.Do(ctx, c.B().Mget().Key(keys...).Build()).AsStrSlice()
	}
	made.hash = func(key string) (map[string]string, error) {
		return c.Do(ctx, c.B().Hgetall().Key(key).Build()).AsStrMap()
	}
	made.pipeline = func(keys, values []string) ([]string, error) {
		return pipeline(c, keys, values)
	}
	made.lease = func() *client {
		dedicated, _ := c.Dedicate()
		return calls(dedicated)
	}
	made.ping = func() (string, error) { return c.Do(ctx, c.B().Ping().Build()).ToString() }
	made.subscribe = func(channel string, each func(string)) error {
		return subscribe(c, channel, each)
	}
	made.publish = func(channel string, messages []string) error {
		commands := make(rueidis.Commands, len(messages))
		for i, message := range messages {
			commands[i] = c.B().Publish().Channel(channel).Message(message).Build()
		}
		for _, result := range c.DoMulti(ctx, commands...) {
			if err := result.Error(); err != nil {
				return err
			}
		}
		return nil
	}
	made.close = func() error {
		c.Close()
		return nil
	}
	return made
}

func calls(c rueidis.CoreClient) *client {
	return &client{
		get: func(key string) (string, error) {
			return c.Do(ctx, c.B().Get().Key(key).Build()).ToString()
		},
		set: func(key, value string) (string, error) {
			return c.Do(ctx, c.B().Set().Key(key).Value(value).Build()).ToString()
		},
	}
}

func pipeline(c rueidis.Client, keys, values []string) ([]string, error) {
	commands := make(rueidis.Commands, len(keys))
	for i, key := range keys {
		if values != nil {
			commands[i] = c.B().Set().Key(key).Value(values[i]).Build()
		} else {
			commands[i] = c.B().Get().Key(key).Build()
		}
	}
	out := make([]string, len(keys))
	var failed error
	for i, result := range c.DoMulti(ctx, commands...) {
		var err error
		if out[i], err = result.ToString(); err != nil {
			failed = err
		}
	}
	return out, failed
}

// subscribe returns when the server knows of the subscription: Receive itself does not tell.
func subscribe(c rueidis.Client, channel string, each func(string)) error {
	go func() {
		_ = c.Receive(ctx, c.B().Subscribe().Channel(channel).Build(),
			func(message rueidis.PubSubMessage) { each(message.Message) })
	}()
	for range 1000 {
		counts, err := c.Do(ctx, c.B().PubsubNumsub().Channel(channel).Build()).AsIntMap()
		if err != nil || counts[channel] > 0 {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("nobody subscribed to %s", channel)
}
