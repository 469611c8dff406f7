// redigo: a pool with a connection for each goroutine. It knows no clusters.
package main

import (
	redis "github.com/gomodule/redigo/redis"
)

func open(j *job) *client {
	network, address := j.address()
	pool := &redis.Pool{MaxIdle: max(j.concurrency, 10), Dial: func() (redis.Conn, error) {
		return redis.Dial(network, address,
			redis.DialUseTLS(j.secure != nil), redis.DialTLSConfig(j.secure))
	}}
	do := func(name string, words ...any) (any, error) {
		conn := pool.Get()
		defer conn.Close()
		return conn.Do(name, words...)
	}
	return &client{
		version: version("github.com/gomodule/redigo"),
		get:     func(key string) (string, error) { return redis.String(do("GET", key)) },
		set: func(key, value string) (string, error) {
			return redis.String(do("SET", key, value))
		},
		mget: func(keys []string) ([]string, error) {
			return redis.Strings(do("MGET", redis.Args{}.AddFlat(keys)...))
		},
		hash: func(key string) (map[string]string, error) {
			return redis.StringMap(do("HGETALL", key))
		},
		pipeline: func(keys, values []string) ([]string, error) {
			return pipeline(pool, keys, values)
		},
		lease: func() *client {
			conn := pool.Get()
			return &client{
				get: func(key string) (string, error) { return redis.String(conn.Do("GET", key)) },
				set: func(key, value string) (string, error) {
					return redis.String(conn.Do("SET", key, value))
				},
			}
		},
		ping: func() (string, error) { return redis.String(do("PING")) },
		subscribe: func(channel string, each func(string)) error {
			return subscribe(pool, channel, each)
		},
		publish: func(channel string, messages []string) error {
			return publish(pool, channel, messages)
		},
		close: pool.Close,
	}
}

func pipeline(pool *redis.Pool, keys, values []string) ([]string, error) {
	conn := pool.Get()
	defer conn.Close()
	for i, key := range keys {
		if values != nil {
			_ = conn.Send("SET", key, values[i])
		} else {
			_ = conn.Send("GET", key)
		}
	}
	if err := conn.Flush(); err != nil {
		return nil, err
	}
	out := make([]string, len(keys))
	for i := range keys {
		var err error
		if out[i], err = redis.String(conn.Receive()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func subscribe(pool *redis.Pool, channel string, each func(string)) error {
	subscription := redis.PubSubConn{Conn: pool.Get()}
	if err := subscription.Subscribe(channel); err != nil {
		return err
	}
	if err, failed := subscription.Receive().(error); failed {
		return err
	}
	go func() {
		for {
			switch message := subscription.Receive().(type) {
			case redis.Message:
				each(string(message.Data))
			case error:
				return
			}
		}
	}()
	return nil
}

func publish(pool *redis.Pool, channel string, messages []string) error {
	conn := pool.Get()
	defer conn.Close()
	for _, message := range messages {
		_ = conn.Send("PUBLISH", channel, message)
	}
	if err := conn.Flush(); err != nil {
		return err
	}
	for range messages {
		if _, err := conn.Receive(); err != nil {
			return err
		}
	}
	return nil
}
