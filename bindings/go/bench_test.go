package redis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	redis "tendon.dev/redis"
)

// The comparison with other clients is in bench/; these are for finding where time goes.

func benchClient(b *testing.B) (*redis.Client, string) {
	b.Helper()
	c := open(b, &redis.Options{Addr: servers(b).Standalone.addr()})
	key := "go:bench"
	must(b, c.Set(context.Background(), key, make([]byte, 100), time.Minute).Err())
	return c, key
}

func BenchmarkGet(b *testing.B) {
	c, key := benchClient(b)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		must(b, c.Get(context.Background(), key).Err())
	}
}

func BenchmarkGetFromGoroutines(b *testing.B) {
	for _, count := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			c, key := benchClient(b)
			b.ReportAllocs()
			b.SetParallelism(count / 2)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := c.Get(context.Background(), key).Err(); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

func BenchmarkPipelineOf100(b *testing.B) {
	c, key := benchClient(b)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += 100 {
		pipe := c.Pipeline()
		for k := 0; k < 100; k++ {
			pipe.Get(context.Background(), key)
		}
		_, err := pipe.Exec(context.Background())
		must(b, err)
	}
}

// What a generated method costs beside the generic call: both build one command and hand it to the
// next step, here one that does nothing.
func BenchmarkMethod(b *testing.B) {
	c := idle(b)
	ctx, key := context.Background(), fmt.Sprint("key")
	b.ReportAllocs()
	for b.Loop() {
		c.Get(ctx, key)
	}
}

func BenchmarkGenericCall(b *testing.B) {
	c := idle(b)
	ctx, key := context.Background(), fmt.Sprint("key")
	b.ReportAllocs()
	for b.Loop() {
		_ = c.Process(ctx, redis.NewStringCmd(ctx, "get", key))
	}
}

// idle is a client that does nothing.
func idle(b *testing.B) *redis.Client {
	b.Helper()
	c := open(b, &redis.Options{Addr: "localhost:1"})
	c.AddHook(breaker{})
	return c
}
