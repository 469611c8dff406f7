package redis

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// fieldName reads the tag `redis:"name,omitempty"` of an exported field; "" skips the field.
func fieldName(field reflect.StructField) (name string, omitEmpty bool) {
	tag, ok := field.Tag.Lookup("redis")
	if !ok || tag == "-" || !field.IsExported() {
		return "", false
	}
	name, rest, _ := strings.Cut(tag, ",")
	for _, option := range strings.Split(rest, ",") {
		omitEmpty = omitEmpty || option == "omitempty"
	}
	return name, omitEmpty
}

// Scanner is a type that reads itself from the text of a reply.
type Scanner interface {
	ScanRedis(s string) error
}

// scanText converts the text of a reply into what `to` points to.
func scanText(text string, to interface{}) error {
	if to == nil {
		return errors.New("redis: Scan(nil)")
	}
	value := reflect.ValueOf(to)
	if value.Kind() == reflect.Pointer && !value.IsNil() {
		switch v := to.(type) {
		case *int:
			return store(func(number int) { *v = number })(strconv.Atoi(text))
		case *time.Time:
			return store(func(t time.Time) { *v = t })(time.Parse(time.RFC3339Nano, text))
		}
		if known, err := scanOwn(text, to); known {
			return err
		}
		if known, err := scanValue(text, value.Elem()); known {
			return err
		}
	}
	return fmt.Errorf("redis: can't unmarshal %T (consider implementing BinaryUnmarshaler)", to)
}

// scanOwn lets a type read the text that knows how; `known` says whether it does.
func scanOwn(text string, to interface{}) (known bool, err error) {
	switch v := to.(type) {
	case Scanner:
		return true, v.ScanRedis(text)
	case encoding.TextUnmarshaler:
		return true, v.UnmarshalText([]byte(text))
	case encoding.BinaryUnmarshaler:
		return true, v.UnmarshalBinary([]byte(text))
	}
	return false, nil
}

// store sets what was parsed, and leaves it alone after an error.
func store[T any](set func(T)) func(T, error) error {
	return func(value T, err error) error {
		if err == nil {
			set(value)
		}
		return err
	}
}

// scanValue converts text into a value of one of the basic kinds; `known` says whether it is one.
func scanValue(text string, into reflect.Value) (known bool, err error) {
	bits := 64
	if into.CanInt() || into.CanUint() || into.CanFloat() {
		bits = into.Type().Bits()
	}
	switch into.Kind() {
	case reflect.Bool:
		err = store(into.SetBool)(strconv.ParseBool(text))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		err = store(into.SetInt)(strconv.ParseInt(text, 10, bits))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		err = store(into.SetUint)(strconv.ParseUint(text, 10, bits))
	case reflect.Float32, reflect.Float64:
		err = store(into.SetFloat)(strconv.ParseFloat(text, bits))
	case reflect.String:
		into.SetString(text)
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		err = scanText(text, into.Interface())
	case reflect.Slice:
		if into.Type().Elem().Kind() != reflect.Uint8 {
			return false, nil
		}
		into.SetBytes([]byte(text))
	default:
		return false, nil
	}
	return true, err
}

// scanStruct fills the tagged fields of the struct `to` points to; names without a field are
// ignored.
func scanStruct(to interface{}, lookup func(name string) (string, bool)) error {
	value := reflect.ValueOf(to)
	if value.Kind() != reflect.Pointer || value.IsNil() {
		return fmt.Errorf("redis.Scan(non-pointer %T)", to)
	}
	value = value.Elem()
	if value.Kind() != reflect.Struct {
		return fmt.Errorf("redis.Scan(non-struct %T)", to)
	}
	for i := 0; i < value.NumField(); i++ {
		name, _ := fieldName(value.Type().Field(i))
		text, ok := lookup(name)
		if name == "" || !ok {
			continue
		}
		if err := scanField(text, value.Type(), i, value.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

func scanField(text string, of reflect.Type, i int, field reflect.Value) error {
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	if known, err := scanOwn(text, field.Addr().Interface()); known {
		return err
	}
	known, err := scanValue(text, field)
	if !known {
		err = fmt.Errorf("redis.Scan(unsupported %s)", field.Type())
	}
	if err != nil {
		return fmt.Errorf("cannot scan redis.result %s into struct field %s.%s of type %s, "+
			"error-%w", text, of.Name(), of.Field(i).Name, of.Field(i).Type, err)
	}
	return nil
}

// scanSlice adds one element for each text to the slice `to` points to.
func scanSlice(texts []string, to interface{}) error {
	value := reflect.ValueOf(to)
	if !value.IsValid() {
		return errors.New("redis: ScanSlice(nil)")
	}
	if value.Kind() != reflect.Pointer {
		return fmt.Errorf("redis: ScanSlice(non-pointer %T)", to)
	}
	if value = value.Elem(); value.Kind() != reflect.Slice {
		return fmt.Errorf("redis: ScanSlice(non-slice %T)", to)
	}
	for i, text := range texts {
		one := reflect.New(value.Type().Elem())
		into := one
		if one.Elem().Kind() == reflect.Pointer {
			into = reflect.New(one.Elem().Type().Elem())
			one.Elem().Set(into)
		}
		if err := scanText(text, into.Interface()); err != nil {
			return fmt.Errorf("redis: ScanSlice index=%d value=%q failed: %w", i, text, err)
		}
		value.Set(reflect.Append(value, one.Elem()))
	}
	return nil
}
