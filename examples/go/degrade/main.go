// Command degrade shows the article's best practice "Handle connection failures gracefully": a
// cache in front of a slow database. It starts a server of its own, stops it in the middle and
// starts it again; the application goes on, slower.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"os/exec"
	"strconv"
	"time"

	redis "tendon.dev/redis"
)

// databaseTime is what the database takes for each user; the cache is there to save it.
const databaseTime = 30 * time.Millisecond

// User is what is cached.
type User struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// app is the application: a client of the cache, and counts of where users came from.
type app struct {
	cache                   *redis.Client
	fromCache, fromDatabase int
	complaint               error // the last failure of the cache
}

// fetchUser is the database: always right, always slow.
func fetchUser(id int) User {
	time.Sleep(databaseTime)
	return User{ID: id, Name: fmt.Sprintf("user %d", id)}
}

// getUser is the article's get_user: nothing that goes wrong with the cache reaches the caller.
func (a *app) getUser(ctx context.Context, id int) User {
	key := fmt.Sprintf("user:%d", id)
	data, err := a.cache.Get(ctx, key).Bytes()
	var user User
	if err == nil && json.Unmarshal(data, &user) == nil {
		a.fromCache++
		return user
	}
	if err != nil && err != redis.Nil {
		a.complaint = err // The cache is down: fall through to the database.
	}
	a.fromDatabase++
	user = fetchUser(id)
	if data, err = json.Marshal(user); err == nil {
		_ = a.cache.Set(ctx, key, data, time.Minute).Err() // Failed to cache - that's okay
	}
	return user
}

// phase asks for five users twice and tells how it went.
func (a *app) phase(title string) {
	fmt.Println(title)
	a.fromCache, a.fromDatabase, a.complaint = 0, 0, nil
	start := time.Now()
	for round := 0; round < 2; round++ {
		for id := 1; id <= 5; id++ {
			if got := a.getUser(context.Background(), id); got.Name != fmt.Sprintf("user %d", id) {
				log.Fatalf("user %d is %+v", id, got)
			}
		}
	}
	fmt.Printf("  10 users in %v: %d from the cache, %d from the database\n",
		time.Since(start).Round(time.Millisecond), a.fromCache, a.fromDatabase)
	var failure *redis.ClientError
	if errors.As(a.complaint, &failure) {
		fmt.Printf("  the cache said (executed: %v): %v\n", failure.Executed(), failure)
	}
}

func main() {
	port := freePort()
	server := startServer(port)
	defer func() { stopServer(server) }()
	a := &app{cache: redis.NewClient(&redis.Options{
		Addr:         net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		DialTimeout:  2 * time.Second,
		ReadTimeout:  2 * time.Second,
		MaxRetries:   1,
		MinIdleConns: 1,
	})}
	defer a.cache.Close()

	a.waitUntilUp()
	a.phase("With the cache:")
	expect(a.fromCache == 5)
	stopServer(server)
	a.phase("The server is stopped:")
	expect(a.fromCache == 0 && a.fromDatabase == 10)
	server = startServer(port)
	a.waitUntilUp()
	a.phase("The server is back:")
	expect(a.fromCache == 5)
	fmt.Println("done: every user was answered correctly throughout")
}

func (a *app) waitUntilUp() {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := a.cache.Ping(context.Background()).Err()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			log.Fatalf("the server does not answer: %v", err)
		}
	}
}

func expect(ok bool) {
	if !ok {
		log.Fatal("that is not where the users should have come from")
	}
}

// freePort is a port that nobody listens on.
func freePort() int {
	for port := 20500; port < 21000; port++ {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = listener.Close()
			return port
		}
	}
	log.Fatal("no free port from 20500 to 20999")
	return 0
}

func startServer(port int) *exec.Cmd {
	command := exec.Command("redis-server", "--port", strconv.Itoa(port), "--bind", "127.0.0.1",
		"--save", "")
	if err := command.Start(); err != nil {
		log.Fatal(err)
	}
	return command
}

func stopServer(command *exec.Cmd) {
	_ = command.Process.Kill()
	_ = command.Wait()
}
