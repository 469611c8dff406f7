package redis

import (
	"fmt"
	"math/big"
	"strconv"

	"tendon.dev/redis/internal/core"
)

// list is what a reply of elements is called.
const list = "array/set/push"

// unexpected says what came instead, in the words of go-redis, which quotes the reply's first line.
func unexpected(tape core.Tape, i int, wanted string) error {
	line := appendLine(nil, tape, i)
	if wanted == "string" {
		return fmt.Errorf("redis: can't parse reply=%.100q reading string", line)
	}
	return fmt.Errorf("redis: can't parse %s reply: %.100q", wanted, line)
}

// nested is the error a node stands for inside a reply: a server's error, or Nil for null.
func nested(tape core.Tape, i int) error {
	switch tape.Type(i) {
	case core.NodeNull:
		return Nil
	case core.NodeError:
		return serverError(tape.Text(i))
	}
	return nil
}

func decodeText(tape core.Tape, i int) (string, error) {
	if err := nested(tape, i); err != nil {
		return "", err
	}
	switch {
	case tape.IsText(i):
		return tape.Text(i), nil
	case tape.Type(i) == core.NodeInteger:
		return strconv.FormatInt(tape.Int(i), 10), nil
	case tape.Type(i) == core.NodeDouble:
		return strconv.FormatFloat(tape.Float(i), 'g', -1, 64), nil
	case tape.Type(i) == core.NodeBoolean:
		return strconv.FormatBool(tape.Int(i) != 0), nil
	}
	return "", unexpected(tape, i, "string")
}

func decodeInt(tape core.Tape, i int) (int64, error) {
	if err := nested(tape, i); err != nil {
		return 0, err
	}
	switch {
	case tape.Type(i) == core.NodeInteger || tape.Type(i) == core.NodeBoolean:
		return tape.Int(i), nil
	case tape.IsText(i):
		return strconv.ParseInt(tape.Text(i), 10, 64)
	}
	return 0, unexpected(tape, i, "int")
}

func decodeFloat(tape core.Tape, i int) (float64, error) {
	if err := nested(tape, i); err != nil {
		return 0, err
	}
	switch {
	case tape.Type(i) == core.NodeDouble:
		return tape.Float(i), nil
	case tape.Type(i) == core.NodeInteger:
		return float64(tape.Int(i)), nil
	case tape.IsText(i):
		return strconv.ParseFloat(tape.Text(i), 64)
	}
	return 0, unexpected(tape, i, "float")
}

// decodeBool takes the forms of yes and no that commands have: 1 and 0, OK, a boolean.
func decodeBool(tape core.Tape, i int) (bool, error) {
	if err := nested(tape, i); err != nil {
		return false, err
	}
	switch {
	case tape.Type(i) == core.NodeInteger || tape.Type(i) == core.NodeBoolean:
		return tape.Int(i) == 1, nil
	case tape.IsText(i):
		text := tape.Text(i)
		return text == "OK" || text == "1", nil
	}
	return false, unexpected(tape, i, "string")
}

// decodeEach decodes the elements of a list. A missing element becomes the zero value.
func decodeEach[T any](tape core.Tape, i int, decode func(core.Tape, int) (T, error)) ([]T, error) {
	if err := nested(tape, i); err != nil {
		return nil, err
	}
	if !tape.IsAggregate(i) {
		return nil, unexpected(tape, i, list)
	}
	all := make([]T, tape.Size(i))
	at := i + 1
	for k := range all {
		one, err := decode(tape, at)
		if err != nil && err != Nil {
			return nil, err
		}
		all[k] = one
		at = tape.Next(at)
	}
	return all, nil
}

func decodeTexts(tape core.Tape, i int) ([]string, error) { return decodeEach(tape, i, decodeText) }
func decodeInts(tape core.Tape, i int) ([]int64, error)   { return decodeEach(tape, i, decodeInt) }

func decodeSlice(tape core.Tape, i int) ([]interface{}, error) {
	return decodeEach(tape, i, decodeValue)
}

func decodeValue(tape core.Tape, i int) (interface{}, error) { return decodeAny(tape, i), nil }

// decodeAny gives each type of reply the Go type that fits it; a null inside a reply is nil, an
// error is an error value.
func decodeAny(tape core.Tape, i int) interface{} {
	switch tape.Type(i) {
	case core.NodeNull:
		return nil
	case core.NodeError:
		return serverError(tape.Text(i))
	case core.NodeInteger:
		return tape.Int(i)
	case core.NodeDouble:
		return tape.Float(i)
	case core.NodeBoolean:
		return tape.Int(i) != 0
	case core.NodeBigNumber:
		if number, ok := new(big.Int).SetString(tape.Text(i), 10); ok {
			return number
		}
		return tape.Text(i)
	case core.NodeMap:
		return decodeAnyMap(tape, i)
	case core.NodeArray, core.NodeSet, core.NodePush:
		all, _ := decodeSlice(tape, i)
		return all
	}
	return tape.Text(i)
}

func decodeAnyMap(tape core.Tape, i int) map[interface{}]interface{} {
	all := make(map[interface{}]interface{}, tape.Size(i)/2)
	end := tape.Next(i)
	for at := i + 1; at < end; {
		key := decodeAny(tape, at)
		at = tape.Next(at)
		switch key.(type) {
		case []interface{}, map[interface{}]interface{}:
			key = fmt.Sprint(key) // a list or map cannot be a key in Go
		}
		all[key] = decodeAny(tape, at)
		at = tape.Next(at)
	}
	return all
}
