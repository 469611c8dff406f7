package redis

import (
	"fmt"
	"strconv"
)

// Text is the value, which must be a string.
func (c *Cmd) Text() (string, error) { return convert(c, toText) }

// Slice is the value, which must be a list.
func (c *Cmd) Slice() ([]interface{}, error) {
	return convert(c, func(value interface{}) ([]interface{}, error) {
		if list, ok := value.([]interface{}); ok {
			return list, nil
		}
		return nil, wrongType(value, "Slice")
	})
}

// StringSlice is the value, which must be a list of strings.
func (c *Cmd) StringSlice() ([]string, error) { return convertEach(c, toText) }

func convert[T any](c *Cmd, to func(interface{}) (T, error)) (T, error) {
	if c.err != nil {
		var zero T
		return zero, c.err
	}
	return to(c.val)
}

func convertEach[T any](c *Cmd, to func(interface{}) (T, error)) ([]T, error) {
	list, err := c.Slice()
	if err != nil {
		return nil, err
	}
	all := make([]T, len(list))
	for i, value := range list {
		if all[i], err = to(value); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func toText(value interface{}) (string, error) {
	if text, ok := value.(string); ok {
		return text, nil
	}
	return "", wrongType(value, "String")
}

func toBool(value interface{}) (bool, error) {
	switch v := value.(type) {
	case bool:
		return v, nil
	case int64:
		return v != 0, nil
	case string:
		return strconv.ParseBool(v)
	}
	return false, wrongType(value, "Bool")
}

var (
	toInt     = toNumber("Int", strconv.Atoi)
	toInt64   = toNumber("Int64", parseInt64)
	toUint64  = toNumber("Uint64", parseUint64)
	toFloat32 = toNumber("Float32", parseFloat32)
	toFloat64 = toNumber("Float64", parseFloat64)
)

// toNumber makes what reads a value as a number: an integer, a string, or a double where that is
// what is wanted.
func toNumber[T int | int64 | uint64 | float32 | float64](name string,
	parse func(string) (T, error)) func(interface{}) (T, error) {
	half := 0.5
	isFloat := T(half) != 0 // an integer has no half
	return func(value interface{}) (T, error) {
		switch v := value.(type) {
		case int64:
			return T(v), nil
		case string:
			return parse(v)
		case float64:
			if isFloat {
				return T(v), nil
			}
		}
		return 0, wrongType(value, name)
	}
}

func wrongType(value interface{}, wanted string) error {
	return fmt.Errorf("redis: unexpected type=%T for %s", value, wanted)
}

func parseInt64(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }

func parseUint64(text string) (uint64, error) { return strconv.ParseUint(text, 10, 64) }

func parseFloat64(text string) (float64, error) { return strconv.ParseFloat(text, 64) }

func parseFloat32(text string) (float32, error) {
	number, err := strconv.ParseFloat(text, 32)
	return float32(number), err
}
