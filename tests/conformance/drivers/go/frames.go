package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"reflect"
	"strconv"
	"strings"

	redis "tendon.dev/redis"
)

// readFrame reads a list of words, which are bytes.
func readFrame(in *bufio.Reader) ([]string, error) {
	count, err := readNumber(in)
	if err != nil {
		return nil, err
	}
	words := make([]string, count)
	for i := range words {
		length, err := readNumber(in)
		if err != nil {
			return nil, err
		}
		text := make([]byte, length+1)
		if _, err := io.ReadFull(in, text); err != nil {
			return nil, err
		}
		words[i] = string(text[:length])
	}
	return words, nil
}

func readNumber(in *bufio.Reader) (int, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSuffix(line, "\n"))
}

func writeFrame(out *bytes.Buffer, words ...string) {
	fmt.Fprintf(out, "%d\n", len(words))
	for _, word := range words {
		fmt.Fprintf(out, "%d\n%s\n", len(word), word)
	}
}

// tokens appends those of a value, as the library gave it.
func tokens(to []string, value any) []string {
	switch value := value.(type) {
	case nil:
		return append(to, "_")
	case error:
		return append(to, "!", classOf(value), codeOf(value), executedOf(value), value.Error())
	case string:
		return append(to, "$"+value)
	case bool:
		return append(to, map[bool]string{true: "T", false: "F"}[value])
	case int64, *big.Int:
		return append(to, fmt.Sprintf(":%d", value))
	case float64:
		text := strconv.FormatFloat(value, 'g', -1, 64)
		return append(to, ","+strings.ToLower(strings.TrimPrefix(text, "+")))
	case redis.Z:
		return tokens(to, []any{value.Member, value.Score})
	}
	return containerTokens(to, reflect.ValueOf(value))
}

func containerTokens(to []string, value reflect.Value) []string {
	switch value.Kind() {
	case reflect.Slice:
		to = append(to, fmt.Sprintf("*%d", value.Len()))
		for i := 0; i < value.Len(); i++ {
			to = tokens(to, value.Index(i).Interface())
		}
		return to
	case reflect.Map:
		to = append(to, fmt.Sprintf("%%%d", value.Len()))
		for each := value.MapRange(); each.Next(); {
			to = tokens(tokens(to, each.Key().Interface()), each.Value().Interface())
		}
		return to
	}
	return append(to, "?"+value.Type().String())
}

// Programs in Go tell errors apart by errors.Is, so these are what an error is called by.
var sentinels = []struct {
	name string
	err  error
}{
	{"Canceled", context.Canceled},
	{"DeadlineExceeded", context.DeadlineExceeded},
	{"ErrClosed", redis.ErrClosed},
	{"ErrPoolTimeout", redis.ErrPoolTimeout},
	{"ErrPoolExhausted", redis.ErrPoolExhausted},
	{"ErrCrossSlot", redis.ErrCrossSlot},
	{"ErrDeadlineExceeded", os.ErrDeadlineExceeded},
	{"EOF", io.EOF},
}

// classOf is the name of the sentinel that an error is, otherwise of its type.
func classOf(err error) string {
	for _, sentinel := range sentinels {
		if errors.Is(err, sentinel.err) {
			return sentinel.name
		}
	}
	name := reflect.TypeOf(err).String()
	return name[strings.LastIndexByte(name, '.')+1:]
}

// codeOf is the first word of what the server said.
func codeOf(err error) string {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return ""
	}
	word, _, _ := strings.Cut(reply.Error(), " ")
	if word != strings.ToUpper(word) { // "redis: ...", which no server said
		return ""
	}
	return word
}

// executedOf asks an error what go-redis' errors do not tell.
func executedOf(err error) string {
	method := reflect.ValueOf(err).MethodByName("Executed")
	if !method.IsValid() {
		return ""
	}
	return fmt.Sprint(method.Call(nil)[0].Interface())
}
