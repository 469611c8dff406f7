package redis

import (
	"encoding"
	"fmt"
	"net"
	"reflect"
	"strconv"
	"time"

	"tendon.dev/redis/internal/core"
)

// addArg encodes one argument into the request begun last, as go-redis does.
func addArg(b *core.Batch, arg interface{}) error {
	switch v := arg.(type) {
	case string:
		b.AddText(v)
	case []byte:
		if len(v) >= core.LargeArgument {
			b.AddLarge(v)
		} else {
			b.AddBytes(v)
		}
	case int:
		addInt(b, int64(v))
	case int64:
		addInt(b, v)
	case float64:
		b.AddWith(func(to []byte) []byte { return strconv.AppendFloat(to, v, 'f', -1, 64) })
	case bool:
		b.AddText(boolText(v))
	case nil:
		b.AddText("")
	case time.Duration:
		addInt(b, int64(v))
	case time.Time:
		b.AddWith(func(to []byte) []byte { return v.AppendFormat(to, time.RFC3339Nano) })
	case encoding.BinaryMarshaler:
		return addMarshaled(b, v)
	case net.IP:
		b.AddBytes(v)
	default:
		return addRareArg(b, arg)
	}
	return nil
}

func addInt(b *core.Batch, v int64) {
	b.AddWith(func(to []byte) []byte { return strconv.AppendInt(to, v, 10) })
}

func boolText(v bool) string {
	if v {
		return "1"
	}
	return "0"
}

func addMarshaled(b *core.Batch, v encoding.BinaryMarshaler) error {
	if isNilPointer(v) {
		return marshalError(v)
	}
	data, err := v.MarshalBinary()
	if err != nil {
		return fmt.Errorf("redis: marshalling %T: %w", v, err)
	}
	b.AddBytes(data)
	return nil
}

func isNilPointer(v interface{}) bool {
	value := reflect.ValueOf(v)
	return value.Kind() == reflect.Pointer && value.IsNil()
}

// addRareArg encodes the other number types and pointers to any of these.
func addRareArg(b *core.Batch, arg interface{}) error {
	switch v := arg.(type) {
	case int8:
		addInt(b, int64(v))
	case int16:
		addInt(b, int64(v))
	case int32:
		addInt(b, int64(v))
	case uint:
		addUint(b, uint64(v))
	case uint8:
		addUint(b, uint64(v))
	case uint16:
		addUint(b, uint64(v))
	case uint32:
		addUint(b, uint64(v))
	case uint64:
		addUint(b, v)
	case uintptr:
		addUint(b, uint64(v))
	case float32:
		return addArg(b, float64(v))
	default:
		return addPointer(b, arg)
	}
	return nil
}

func addUint(b *core.Batch, v uint64) {
	b.AddWith(func(to []byte) []byte { return strconv.AppendUint(to, v, 10) })
}

// addPointer encodes what a pointer points to; a nil pointer is the zero value of its type.
func addPointer(b *core.Batch, arg interface{}) error {
	value := reflect.ValueOf(arg)
	if value.Kind() != reflect.Pointer {
		return marshalError(arg)
	}
	target := reflect.Zero(value.Type().Elem())
	if !value.IsNil() {
		target = value.Elem()
	}
	if target.Kind() == reflect.Pointer || addArg(b, target.Interface()) != nil {
		return marshalError(arg)
	}
	return nil
}

func marshalError(arg interface{}) error {
	return fmt.Errorf("redis: can't marshal %T (implement encoding.BinaryMarshaler)", arg)
}

// appendArgs adds the variable arguments of a command. A single one is flattened when it is a
// slice, a map or a struct, and is nothing at all when it is nil; several are taken as they are.
func appendArgs(args []interface{}, more []interface{}) []interface{} {
	if len(more) == 1 {
		return appendFlat(args, more[0])
	}
	return append(args, more...)
}

func appendFlat(args []interface{}, arg interface{}) []interface{} {
	switch v := arg.(type) {
	case nil:
	case []string:
		for _, one := range v {
			args = append(args, one)
		}
	case []interface{}:
		args = append(args, v...)
	case map[string]interface{}:
		for key, one := range v {
			args = append(args, key, one)
		}
	case map[string]string:
		for key, one := range v {
			args = append(args, key, one)
		}
	case time.Time, time.Duration, encoding.BinaryMarshaler, net.IP:
		args = append(args, v)
	default:
		return appendStruct(args, arg)
	}
	return args
}

// appendStruct flattens the tagged fields of a struct, or of what a pointer to one points to.
func appendStruct(args []interface{}, arg interface{}) []interface{} {
	value := reflect.ValueOf(arg)
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return args
		}
		value = value.Elem()
	}
	if value.Kind() != reflect.Struct {
		return append(args, arg)
	}
	for i := 0; i < value.NumField(); i++ {
		field := value.Type().Field(i)
		name, omitEmpty := fieldName(field)
		if name == "" || (omitEmpty && value.Field(i).IsZero()) {
			continue
		}
		args = append(args, name, value.Field(i).Interface())
	}
	return args
}

// appendList widens a list of one type.
func appendList[T any](args []interface{}, list []T) []interface{} {
	for _, one := range list {
		args = append(args, one)
	}
	return args
}

// argText is how an argument looks in Cmder.String.
func argText(arg interface{}) string {
	switch v := arg.(type) {
	case nil:
		return "<nil>"
	case string:
		return v
	case []byte:
		return string(v)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case time.Duration:
		return strconv.FormatInt(int64(v), 10)
	}
	return fmt.Sprint(arg)
}
