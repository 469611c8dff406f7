// tendon: one client that all goroutines share.
package main

import (
	"crypto/tls"
	"strings"
	"sync"

	redis "tendon.dev/redis"
)

func open(j *job) *client {
	network, address := j.address()
	if j.yes("cluster") {
		return using(redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{address}}))
	}
	options := &redis.Options{Network: network, Addr: address, TLSConfig: j.secure}
	if j.yes("ca_file") {
		options = byCore(j, address)
	}
	if j.yes("ca_file") && j.yes("resume") {
		return resuming(options)
	}
	single := redis.NewClient(options)
	c := using(single)
	c.lease = func() *client {
		conn := single.Conn()
		return &client{
			get: func(key string) (string, error) { return conn.Get(ctx, key).Result() },
			set: func(key, value string) (string, error) {
				return conn.Set(ctx, key, value, 0).Result()
			},
		}
	}
	return c
}

// byCore leaves TLS to libtendon; a tls.Config with RootCAs would be work for crypto/tls.
func byCore(j *job, address string) *redis.Options {
	return &redis.Options{
		Addr:        address,
		TLSConfig:   &tls.Config{ServerName: "localhost"},
		CoreOptions: map[string]string{"tls_ca_file": j.words["ca"]},
	}
}

// The client that knows the sessions: those of libtendon live in a client.
var keeper struct {
	sync.Mutex
	*redis.Client
}

// resuming gives connections of one client that keeps none of them when they are given back.
func resuming(options *redis.Options) *client {
	keeper.Lock()
	defer keeper.Unlock()
	if keeper.Client == nil {
		options.CoreOptions["pool_max_idle"] = "0"
		keeper.Client = redis.NewClient(options)
	}
	conn := keeper.Conn()
	return &client{
		version: strings.Fields(redis.Version())[1],
		ping:    func() (string, error) { return conn.Ping(ctx).Result() },
		close:   conn.Close,
	}
}

func using(c redis.UniversalClient) *client {
	return &client{
		version: strings.Fields(redis.Version())[1],
		get:     func(key string) (string, error) { return c.Get(ctx, key).Result() },
		set: func(key, value string) (string, error) {
			return c.Set(ctx, key, value, 0).Result()
		},
		mget: func(keys []string) ([]string, error) {
			return texts(c.MGet(ctx, keys...).Result())
		},
		hash: func(key string) (map[string]string, error) { return c.HGetAll(ctx, key).Result() },
		pipeline: func(keys, values []string) ([]string, error) {
			pipe := c.Pipeline()
			for i, key := range keys {
				if values != nil {
					pipe.Set(ctx, key, values[i], 0)
				} else {
					pipe.Get(ctx, key)
				}
			}
			done, err := pipe.Exec(ctx)
			out := make([]string, len(done))
			for i, command := range done {
				switch command := command.(type) {
				case *redis.StringCmd:
					out[i] = command.Val()
				case *redis.StatusCmd:
					out[i] = command.Val()
				}
			}
			return out, err
		},
		ping: func() (string, error) { return c.Ping(ctx).Result() },
		subscribe: func(channel string, each func(string)) error {
			subscription := c.Subscribe(ctx, channel)
			if _, err := subscription.Receive(ctx); err != nil {
				return err
			}
			go func() {
				for message := range subscription.Channel() {
					each(message.Payload)
				}
			}()
			return nil
		},
		publish: func(channel string, messages []string) error {
			_, err := c.Pipelined(ctx, func(pipe redis.Pipeliner) error {
				for _, message := range messages {
					pipe.Publish(ctx, channel, message)
				}
				return nil
			})
			return err
		},
		close: c.Close,
	}
}
