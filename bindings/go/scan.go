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
	switch v := to.(type) {
	case nil:
		return errors.New("redis: Scan(nil)")
	case *string:
		*v = text
		return nil
	case *[]byte:
		*v = []byte(text)
		return nil
	case *time.Time:
		parsed, err := time.Parse(time.RFC3339Nano, text)
		*v = parsed
		return err
	case *time.Duration:
		number, err := strconv.ParseInt(text, 10, 64)
		*v = time.Duration(number)
		return err
	case Scanner:
		return v.ScanRedis(text)
	case encoding.BinaryUnmarshaler:
		return v.UnmarshalBinary([]byte(text))
	case encoding.TextUnmarshaler:
		return v.UnmarshalText([]byte(text))
	}
	value := reflect.ValueOf(to)
	if value.Kind() != reflect.Pointer || value.IsNil() {
		return fmt.Errorf("redis: can't unmarshal %T (consider implementing BinaryUnmarshaler)", to)
	}
	return scanValue(text, value.Elem())
}

// scanValue converts text into a value of one of the basic kinds.
func scanValue(text string, into reflect.Value) error {
	bits := 64
	if into.CanInt() || into.CanUint() || into.CanFloat() {
		bits = into.Type().Bits()
	}
	switch into.Kind() {
	case reflect.Bool:
		parsed, err := strconv.ParseBool(text)
		into.SetBool(parsed)
		return err
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		parsed, err := strconv.ParseInt(text, 10, bits)
		into.SetInt(parsed)
		return err
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		parsed, err := strconv.ParseUint(text, 10, bits)
		into.SetUint(parsed)
		return err
	case reflect.Float32, reflect.Float64:
		parsed, err := strconv.ParseFloat(text, bits)
		into.SetFloat(parsed)
		return err
	case reflect.String:
		into.SetString(text)
		return nil
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		return scanText(text, into.Interface())
	}
	return fmt.Errorf("redis: can't unmarshal %s (consider implementing BinaryUnmarshaler)",
		into.Type())
}

// scanStruct fills the tagged fields of the struct `to` points to; names without a field are
// ignored.
func scanStruct(to interface{}, lookup func(name string) (string, bool)) error {
	value := reflect.ValueOf(to)
	if value.Kind() != reflect.Pointer || value.IsNil() || value.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("redis.Scan(non-pointer to struct %T)", to)
	}
	value = value.Elem()
	for i := 0; i < value.NumField(); i++ {
		name, _ := fieldName(value.Type().Field(i))
		text, ok := lookup(name)
		if name == "" || !ok {
			continue
		}
		if err := scanText(text, value.Field(i).Addr().Interface()); err != nil {
			return fmt.Errorf("redis: field %s: %w", value.Type().Field(i).Name, err)
		}
	}
	return nil
}

// scanSlice fills the slice `to` points to with one element for each text.
func scanSlice(texts []string, to interface{}) error {
	value := reflect.ValueOf(to)
	if value.Kind() != reflect.Pointer || value.IsNil() || value.Elem().Kind() != reflect.Slice {
		return fmt.Errorf("redis: ScanSlice(non-pointer to slice %T)", to)
	}
	filled := reflect.MakeSlice(value.Elem().Type(), len(texts), len(texts))
	for i, text := range texts {
		if err := scanText(text, filled.Index(i).Addr().Interface()); err != nil {
			return fmt.Errorf("redis: element %d: %w", i, err)
		}
	}
	value.Elem().Set(filled)
	return nil
}
