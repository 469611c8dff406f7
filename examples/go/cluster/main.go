// Command cluster is the article's cluster program in Go: one address is enough to find every
// shard. Run it as `go run ./cluster cluster` or `go run ./cluster tls_cluster`.
package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"time"

	"tendon.dev/examples/internal/endpoint"
	redis "tendon.dev/redis"
)

func main() {
	ctx := context.Background()
	server := endpoint.Get("cluster")
	options := &redis.ClusterOptions{
		Addrs:    []string{server.Addr}, // the configuration endpoint
		ReadOnly: true,                  // Read from replicas for read-heavy workloads
	}
	if server.CAFile != "" {
		options.TLSConfig = &tls.Config{}
		options.CoreOptions = map[string]string{"tls_ca_file": server.CAFile}
	}
	client := redis.NewClusterClient(options)
	defer client.Close()

	// Operations work the same way
	check(client.Set(ctx, "key", "value", 300*time.Second).Err())
	ttl, err := client.TTL(ctx, "key").Result()
	check(err)
	fmt.Println("key expires in", ttl)

	pipe := client.Pipeline()
	for id := 1; id <= 100; id++ {
		pipe.Set(ctx, fmt.Sprintf("go-item:%d", id), id, time.Minute)
	}
	commands, err := pipe.Exec(ctx)
	check(err)
	fmt.Println(len(commands), "items written to all shards in one pipeline")

	check(client.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		count := 0
		items := node.Scan(ctx, 0, "go-item:*", 100).Iterator()
		for items.Next(ctx) {
			count++
		}
		fmt.Printf("  %s holds %d of them\n", node.Options().Addr, count)
		return items.Err()
	}))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
