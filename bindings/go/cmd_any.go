package redis

import (
	"fmt"
	"strconv"
)

func wrongType(value interface{}, wanted string) error {
	return fmt.Errorf("redis: unexpected type=%T for %s", value, wanted)
}

// Text is the value, which must be a string.
func (c *Cmd) Text() (string, error) { return convert(c, toText) }

// Int is the value as a number; strings are parsed.
func (c *Cmd) Int() (int, error) {
	number, err := convert(c, toInt)
	return int(number), err
}

// Int64 is the value as a number; strings are parsed.
func (c *Cmd) Int64() (int64, error) { return convert(c, toInt) }

// Uint64 is the value as a number; strings are parsed.
func (c *Cmd) Uint64() (uint64, error) {
	return convert(c, func(value interface{}) (uint64, error) {
		if text, ok := value.(string); ok {
			return strconv.ParseUint(text, 10, 64)
		}
		number, err := toInt(value)
		return uint64(number), err
	})
}

// Float32 is the value as a number; strings are parsed.
func (c *Cmd) Float32() (float32, error) {
	number, err := convert(c, toFloat)
	return float32(number), err
}

// Float64 is the value as a number; strings are parsed.
func (c *Cmd) Float64() (float64, error) { return convert(c, toFloat) }

// Bool is the value as yes or no; strings are parsed.
func (c *Cmd) Bool() (bool, error) { return convert(c, toBool) }

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

// Int64Slice is the value, which must be a list of numbers.
func (c *Cmd) Int64Slice() ([]int64, error) { return convertEach(c, toInt) }

// Float64Slice is the value, which must be a list of numbers.
func (c *Cmd) Float64Slice() ([]float64, error) { return convertEach(c, toFloat) }

// Uint64Slice is the value, which must be a list of numbers.
func (c *Cmd) Uint64Slice() ([]uint64, error) {
	return convertEach(c, func(value interface{}) (uint64, error) {
		number, err := toInt(value)
		return uint64(number), err
	})
}

// Float32Slice is the value, which must be a list of numbers.
func (c *Cmd) Float32Slice() ([]float32, error) {
	return convertEach(c, func(value interface{}) (float32, error) {
		number, err := toFloat(value)
		return float32(number), err
	})
}

// BoolSlice is the value, which must be a list of yes and no.
func (c *Cmd) BoolSlice() ([]bool, error) { return convertEach(c, toBool) }

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

func toInt(value interface{}) (int64, error) {
	switch v := value.(type) {
	case int64:
		return v, nil
	case string:
		return strconv.ParseInt(v, 10, 64)
	}
	return 0, wrongType(value, "Int64")
}

func toFloat(value interface{}) (float64, error) {
	switch v := value.(type) {
	case float64:
		return v, nil
	case int64:
		return float64(v), nil
	case string:
		return strconv.ParseFloat(v, 64)
	}
	return 0, wrongType(value, "Float64")
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
