// go-redis: its pool, and with auto=… its own batching of what goroutines send side by side.
package main

import (
	"fmt"

	redis "github.com/redis/go-redis/v9"
)

func open(j *job) *client {
	network, address := j.address()
	pool := max(j.concurrency, 10)
	if j.yes("cluster") {
		c := redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: []string{address}, PoolSize: pool,
		})
		return batching(j, using(c), c)
	}
	single := redis.NewClient(&redis.Options{
		Network: network, Addr: address, TLSConfig: j.secure, PoolSize: pool,
	})
	c := batching(j, using(single), single)
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

// The options of auto=parallel are those of go-redis's own benchmark.
func batching(j *job, c *client, of redis.UniversalClient) *client {
	var auto *redis.AutoPipeliner
	var err error
	switch j.words["auto"] {
	case "":
		return c
	case "blocking":
		auto, err = of.AutoPipeline()
	case "parallel":
		auto, err = of.AutoPipelineWithOptions(&redis.AutoPipelineOptions{
			MaxBatchSize: 300, MaxConcurrentBatches: 80, Unordered: true,
		})
	case "deferred":
		auto, err = of.AsyncAutoPipeline()
	default:
		err = fmt.Errorf("unknown")
	}
	if err != nil {
		die("auto", err)
	}
	c.get = func(key string) (string, error) { return auto.Get(ctx, key).Result() }
	c.set = func(key, value string) (string, error) {
		return auto.Set(ctx, key, value, 0).Result()
	}
	c.begin = func(key, value string, write bool) func() (string, error) {
		if write {
			return auto.Set(ctx, key, value, 0).Result
		}
		return auto.Get(ctx, key).Result
	}
	return c
}

func using(c redis.UniversalClient) *client {
	return &client{
		version: redis.Version(),
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
