package main

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"strconv"

	redis "tendon.dev/redis"
)

// silence is for libraries that write every failed connection to the standard error.
type silence struct{}

func (silence) Printf(context.Context, string, ...interface{}) {}

// main reads programs, runs them, and writes what they gave.
func main() {
	redis.SetLogger(silence{})
	in := bufio.NewReaderSize(os.Stdin, 1<<16)
	hello := bytes.Buffer{}
	writeFrame(&hello, "hello", os.Args[1])
	say(&hello)
	next, thread := newProgram(), 0
	for {
		frame, err := readFrame(in)
		if err != nil {
			giveUp("standard input: %v", err)
		}
		switch frame[0] {
		case "quit":
			return
		case "thread":
			thread = must(strconv.Atoi(frame[1]))
			next.threads[thread] = nil
		case "run":
			next.run()
			writeFrame(&next.results, "done")
			say(&next.results)
			next = newProgram()
		default:
			next.threads[thread] = append(next.threads[thread], frame)
		}
	}
}

func say(frames *bytes.Buffer) {
	if _, err := os.Stdout.Write(frames.Bytes()); err != nil {
		giveUp("standard output: %v", err)
	}
}
