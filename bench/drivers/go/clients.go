// The clients: tendon and go-redis by the interface they share, rueidis and redigo by their own.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	redigo "github.com/gomodule/redigo/redis"
	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
	tendon "tendon.dev/redis"
)

var ctx = context.Background()

func open(j *job) *client {
	makers := map[string]func(*job) *client{
		"tendon": openTendon, "go-redis": openGoRedis, "rueidis": openRueidis, "redigo": openRedigo,
	}
	maker, known := makers[j.words["client"]]
	if !known {
		die("client", fmt.Errorf("%q is unknown", j.words["client"]))
	}
	return maker(j)
}

func version(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return dependency.Version
		}
	}
	return "?"
}

func (j *job) address() (network, address string) {
	if j.words["socket"] != "" {
		return "unix", j.words["socket"]
	}
	return "tcp", j.words["host"] + ":" + j.words["port"]
}

func (j *job) tls() *tls.Config {
	if j.words["ca"] == "" {
		return nil
	}
	text, err := os.ReadFile(j.words["ca"])
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(text) {
		die("ca", err)
	}
	return &tls.Config{RootCAs: pool, ServerName: "localhost"}
}

// With MGET both give a slice of any.
func texts(replies []any, err error) ([]string, error) {
	out := make([]string, len(replies))
	for i, reply := range replies {
		out[i], _ = reply.(string)
	}
	return out, err
}

func openTendon(j *job) *client {
	network, address := j.address()
	c := tendon.NewClient(&tendon.Options{Network: network, Addr: address, TLSConfig: j.tls()})
	return &client{
		version: "0.1.0",
		get:     func(key string) (string, error) { return c.Get(ctx, key).Result() },
		set: func(key, value string) (string, error) {
			return c.Set(ctx, key, value, 0).Result()
		},
		mget: func(keys []string) ([]string, error) {
			return texts(c.MGet(ctx, keys...).Result())
		},
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
				case *tendon.StringCmd:
					out[i] = command.Val()
				case *tendon.StatusCmd:
					out[i] = command.Val()
				}
			}
			return out, err
		},
	}
}

// auto=yes among the words is go-redis's own batching of what goroutines send side by side.
func openGoRedis(j *job) *client {
	network, address := j.address()
	c := goredis.NewClient(&goredis.Options{
		Network: network, Addr: address, TLSConfig: j.tls(), PoolSize: max(j.concurrency, 10),
	})
	var each goredis.Cmdable = c
	if j.words["auto"] == "yes" {
		auto, err := c.AutoPipeline()
		if err != nil {
			die("AutoPipeline", err)
		}
		each = auto
	}
	return &client{
		version: version("github.com/redis/go-redis/v9"),
		get:     func(key string) (string, error) { return each.Get(ctx, key).Result() },
		set: func(key, value string) (string, error) {
			return each.Set(ctx, key, value, 0).Result()
		},
		mget: func(keys []string) ([]string, error) {
			return texts(c.MGet(ctx, keys...).Result())
		},
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
				case *goredis.StringCmd:
					out[i] = command.Val()
				case *goredis.StatusCmd:
					out[i] = command.Val()
				}
			}
			return out, err
		},
	}
}

// delay=20us among the words is the tuning that rueidis documents for throughput.
func openRueidis(j *job) *client {
	network, address := j.address()
	delay, _ := time.ParseDuration(j.words["delay"])
	option := rueidis.ClientOption{
		InitAddress:   []string{address},
		TLSConfig:     j.tls(),
		DisableCache:  true,
		MaxFlushDelay: delay,
	}
	if network == "unix" {
		die("rueidis", fmt.Errorf("no Unix sockets in this driver"))
	}
	c, err := rueidis.NewClient(option)
	if err != nil {
		die("rueidis", err)
	}
	text := func(key string) rueidis.Completed { return c.B().Get().Key(key).Build() }
	put := func(key, value string) rueidis.Completed {
		return c.B().Set().Key(key).Value(value).Build()
	}
	return &client{
		version: version("github.com/redis/rueidis"),
		get:     func(key string) (string, error) { return c.Do(ctx, text(key)).ToString() },
		set: func(key, value string) (string, error) {
			return c.Do(ctx, put(key, value)).ToString()
		},
		mget: func(keys []string) ([]string, error) {
			return c.Do(ctx, c.B().Mget().Key(keys...).Build()).AsStrSlice()
		},
		pipeline: func(keys, values []string) ([]string, error) {
			commands := make(rueidis.Commands, len(keys))
			for i, key := range keys {
				if values != nil {
					commands[i] = put(key, values[i])
				} else {
					commands[i] = text(key)
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
		},
	}
}

func openRedigo(j *job) *client {
	network, address := j.address()
	pool := &redigo.Pool{MaxIdle: max(j.concurrency, 10), Dial: func() (redigo.Conn, error) {
		secure := j.tls()
		return redigo.Dial(network, address,
			redigo.DialUseTLS(secure != nil), redigo.DialTLSConfig(secure))
	}}
	do := func(name string, words ...any) (string, error) {
		conn := pool.Get()
		defer conn.Close()
		return redigo.String(conn.Do(name, words...))
	}
	return &client{
		version: version("github.com/gomodule/redigo"),
		get:     func(key string) (string, error) { return do("GET", key) },
		set:     func(key, value string) (string, error) { return do("SET", key, value) },
		mget: func(keys []string) ([]string, error) {
			conn := pool.Get()
			defer conn.Close()
			return redigo.Strings(conn.Do("MGET", redigo.Args{}.AddFlat(keys)...))
		},
		pipeline: func(keys, values []string) ([]string, error) {
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
				if out[i], err = redigo.String(conn.Receive()); err != nil {
					return nil, err
				}
			}
			return out, nil
		},
	}
}
