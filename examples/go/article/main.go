// Command article is the article's program "Using go-redis": only the import and the host name are
// changed. Run it as `go run ./article standalone` or `go run ./article tls`.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"time"

	"tendon.dev/examples/internal/endpoint"
	redis "tendon.dev/redis"
)

var ctx = context.Background()

var server = endpoint.Get("standalone")

func NewRedisClient() *redis.Client {
	client := redis.NewClient(&redis.Options{
		Addr:         server.Addr,
		DialTimeout:  5 * time.Second,
		ReadTimeout:  3 * time.Second,
		WriteTimeout: 3 * time.Second,
		PoolSize:     50,
		MinIdleConns: 10,
		MaxRetries:   3,
		TLSConfig:    server.TLS(), // Uncomment for TLS
	})

	// Test the connection
	if err := client.Ping(ctx).Err(); err != nil {
		panic(fmt.Sprintf("Failed to connect to Redis: %v", err))
	}

	return client
}

type User struct {
	ID    int    `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

func CacheUser(client *redis.Client, user User) error {
	data, err := json.Marshal(user)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("user:%d", user.ID)
	return client.Set(ctx, key, data, 1*time.Hour).Err()
}

func GetCachedUser(client *redis.Client, userID int) (*User, error) {
	key := fmt.Sprintf("user:%d", userID)
	data, err := client.Get(ctx, key).Bytes()
	if err == redis.Nil {
		return nil, nil // Cache miss
	}
	if err != nil {
		return nil, err
	}

	var user User
	if err := json.Unmarshal(data, &user); err != nil {
		return nil, err
	}
	return &user, nil
}

func main() {
	client := NewRedisClient()
	defer client.Close()
	fmt.Println("connected to", server.Addr, "with", redis.Version())

	ada := User{ID: 100001, Name: "Ada", Email: "ada@example.com"}
	check(CacheUser(client, ada))
	user, err := GetCachedUser(client, ada.ID)
	check(err)
	fmt.Printf("cached: %+v\n", *user)
	if *user != ada {
		log.Fatal("the cached user is another one")
	}
	ttl, err := client.TTL(ctx, "user:100001").Result()
	check(err)
	fmt.Println("expires in", ttl)

	user, err = GetCachedUser(client, -1)
	check(err)
	fmt.Println("a user nobody cached:", user)
	if user != nil || ttl <= 59*time.Minute {
		log.Fatal("the cache answers what it should not")
	}
	check(client.Del(ctx, "user:100001").Err())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
