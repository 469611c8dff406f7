package redis

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"tendon.dev/redis/internal/core"
)

// eachPair calls `each` for the nodes of every pair in a map, in a list of pairs, or in a flat list
// where RESP2 has no map. `what` is what to call it when it is none of these.
func eachPair(tape core.Tape, i int, what string, each func(first, second int) error) error {
	if err := nested(tape, i); err != nil {
		return err
	}
	if !tape.IsAggregate(i) {
		return unexpected(tape, i, what)
	}
	end := tape.Next(i)
	for at := i + 1; at < end; {
		first, next := at, 0
		if tape.Type(i) != core.NodeMap && tape.IsAggregate(at) {
			first, next = at+1, tape.Next(at)
		}
		isPair := next == 0 && tape.Next(at) < end || next != 0 && tape.Size(at) == 2
		if !isPair {
			return unexpected(tape, i, what)
		}
		second := tape.Next(first)
		if err := each(first, second); err != nil && err != Nil {
			return err
		}
		at = max(next, tape.Next(second))
	}
	return nil
}

// eachField calls `each` for every named field of a reply. A null leaves a field as it is.
func eachField(tape core.Tape, i int, each func(name string, at int) error) error {
	return eachPair(tape, i, "map", func(first, second int) error {
		name, err := decodeText(tape, first)
		if err != nil {
			return err
		}
		return each(name, second)
	})
}

// eachElement calls `each` for every element of a list by its place. A null leaves a field as it
// is.
func eachElement(tape core.Tape, i int, each func(place, at int) error) error {
	if err := nested(tape, i); err != nil {
		return err
	}
	if !tape.IsAggregate(i) {
		return unexpected(tape, i, list)
	}
	at := i + 1
	for place := range tape.Size(i) {
		if err := each(place, at); err != nil && err != Nil {
			return err
		}
		at = tape.Next(at)
	}
	return nil
}

type decoder[T any] func(core.Tape, int) (T, error)

func listOf[T any](decode decoder[T]) decoder[[]T] {
	return func(tape core.Tape, i int) ([]T, error) { return decodeEach(tape, i, decode) }
}

func mapOf[T any](decode decoder[T]) decoder[map[string]T] {
	return func(tape core.Tape, i int) (map[string]T, error) {
		all := make(map[string]T)
		err := eachField(tape, i, func(name string, at int) error {
			value, err := decode(tape, at)
			all[name] = value
			return err
		})
		if err != nil {
			return nil, err
		}
		return all, nil
	}
}

func pointerTo[T any](decode decoder[T]) decoder[*T] {
	return func(tape core.Tape, i int) (*T, error) {
		value, err := decode(tape, i)
		if err != nil {
			return nil, err
		}
		return &value, nil
	}
}

// pairsOf makes a list of pairs; see eachPair for the forms they have.
func pairsOf[T any](tape core.Tape, i int, set func(v *T, first, second int) error) ([]T, error) {
	all := make([]T, 0, 8)
	err := eachPair(tape, i, list, func(first, second int) error {
		var empty T
		all = append(all, empty)
		return set(&all[len(all)-1], first, second)
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// decodeReply is the value of a command of any name: a null or an error is its error.
func decodeReply(tape core.Tape, i int) (interface{}, error) {
	if err := nested(tape, i); err != nil {
		return nil, err
	}
	return decodeAny(tape, i), nil
}

// decodeMap is mapOf(decodeText), which HGETALL is too hot for.
func decodeMap(tape core.Tape, i int) (map[string]string, error) {
	all := make(map[string]string, 8)
	err := eachPair(tape, i, "map", func(first, second int) error {
		name, err := decodeText(tape, first)
		if err != nil {
			return err
		}
		all[name], err = decodeText(tape, second)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func decodeStringSet(tape core.Tape, i int) (map[string]struct{}, error) {
	all := make(map[string]struct{})
	err := eachElement(tape, i, func(_, at int) error {
		text, err := decodeText(tape, at)
		all[text] = struct{}{}
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// decodeYes is decodeBool that takes a null, as of SET NX, for no.
func decodeYes(tape core.Tape, i int) (bool, error) {
	if tape.Type(i) == core.NodeNull {
		return false, nil
	}
	return decodeBool(tape, i)
}

// inUnits decodes a time that is a number of units. Negative numbers stay as they are: they are
// codes.
func inUnits(unit time.Duration) decoder[time.Duration] {
	return func(tape core.Tape, i int) (time.Duration, error) {
		number, err := decodeInt(tape, i)
		if number < 0 {
			return time.Duration(number), err
		}
		return time.Duration(number) * unit, err
	}
}

func decodeUnix(tape core.Tape, i int) (time.Time, error) {
	seconds, err := decodeInt(tape, i)
	return time.Unix(seconds, 0), err
}

func decodeUnixMillis(tape core.Tape, i int) (time.Time, error) {
	millis, err := decodeInt(tape, i)
	return time.UnixMilli(millis), err
}

// decodeClock is TIME's answer: seconds and microseconds.
func decodeClock(tape core.Tape, i int) (time.Time, error) {
	parts, err := decodeInts(tape, i)
	if err == nil && len(parts) != 2 {
		err = unexpected(tape, i, "time")
	}
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(parts[0], parts[1]*int64(time.Microsecond)), nil
}

// decodeLag is -1 when the server cannot say.
func decodeLag(tape core.Tape, i int) (int64, error) {
	if tape.Type(i) == core.NodeNull {
		return -1, nil
	}
	return decodeInt(tape, i)
}

// decodeGeoLocation tells what comes with a name by its type: a distance is a number in a string,
// a hash an integer, a position a list.
func decodeGeoLocation(tape core.Tape, i int) (v GeoLocation, err error) {
	if !tape.IsAggregate(i) {
		v.Name, err = decodeText(tape, i)
		return v, err
	}
	err = eachElement(tape, i, func(place, at int) (err error) {
		switch {
		case place == 0:
			v.Name, err = decodeText(tape, at)
		case tape.IsAggregate(at):
			var position GeoPos
			position, err = decodeGeoPos(tape, at)
			v.Longitude, v.Latitude = position.Longitude, position.Latitude
		case tape.Type(at) == core.NodeInteger:
			v.GeoHash, err = decodeInt(tape, at)
		default:
			v.Dist, err = decodeFloat(tape, at)
		}
		return err
	})
	return v, err
}

// decodeLCS takes the three forms of LCS: the string, its length, or where the keys agree.
func decodeLCS(tape core.Tape, i int) (*LCSMatch, error) {
	v := &LCSMatch{}
	var err error
	switch {
	case tape.Type(i) == core.NodeInteger:
		v.Len = tape.Int(i)
	case tape.IsText(i):
		v.MatchString = tape.Text(i)
	default:
		*v, err = decodeLCSMatch(tape, i)
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

// decodeInfo splits the text of INFO into sections.
func decodeInfo(tape core.Tape, i int) (map[string]map[string]string, error) {
	text, err := decodeText(tape, i)
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]string{}
	section := ""
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, "\r")
		if title, ok := strings.CutPrefix(line, "#"); ok {
			section = strings.TrimSpace(title)
			all[section] = map[string]string{}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if module, isModule := strings.CutPrefix(value, "name="); isModule && name == "module" {
			name, value, ok = strings.Cut(module, ",")
		}
		if ok && all[section] != nil {
			all[section][name] = value
		}
	}
	return all, nil
}

func decodeClusterNode(tape core.Tape, i int) (v ClusterNode, err error) {
	var host, port string
	err = eachElement(tape, i, func(place, at int) (err error) {
		switch place {
		case 0:
			host, err = decodeText(tape, at)
		case 1:
			port, err = decodeText(tape, at)
		case 2:
			v.ID, err = decodeText(tape, at)
		case 3:
			v.NetworkingMetadata, err = decodeMap(tape, at)
		}
		return err
	})
	v.Addr = net.JoinHostPort(host, port)
	return v, err
}

// decodeSlotRanges takes the bounds of all ranges in one list.
func decodeSlotRanges(tape core.Tape, i int) ([]SlotRange, error) {
	bounds, err := decodeInts(tape, i)
	var all []SlotRange
	for k := 0; k+1 < len(bounds); k += 2 {
		all = append(all, SlotRange{bounds[k], bounds[k+1]})
	}
	return all, err
}

func decodeCommandInfos(tape core.Tape, i int) (map[string]*CommandInfo, error) {
	list, err := decodeEach(tape, i, pointerTo(decodeCommandInfo))
	if err != nil {
		return nil, err
	}
	all := make(map[string]*CommandInfo, len(list))
	for _, one := range list {
		if one != nil { // the server does not know the command
			one.ReadOnly = slices.Contains(one.Flags, "readonly")
			all[one.Name] = one
		}
	}
	return all, nil
}

func decodeUint(tape core.Tape, i int) (uint64, error) {
	if tape.IsText(i) && tape.Type(i) != core.NodeError {
		return strconv.ParseUint(tape.Text(i), 10, 64)
	}
	number, err := decodeInt(tape, i)
	return uint64(number), err
}

// decodeNumber refuses what does not fit the type.
func decodeNumber[T int | int8](tape core.Tape, i int) (T, error) {
	number, err := decodeInt(tape, i)
	if err == nil && int64(T(number)) != number {
		return 0, fmt.Errorf("redis: the server answered with %d, which fits no %T", number, T(0))
	}
	return T(number), err
}

func decodeFunctionStats(tape core.Tape, i int) (v FunctionStats, err error) {
	err = eachField(tape, i, func(name string, at int) (err error) {
		switch name {
		case "running_script":
			v.rs, err = decodeRunningScript(tape, at)
			v.isRunning = err == nil
		case "all_running_scripts":
			v.allrs, err = decodeEach(tape, at, decodeRunningScript)
		case "engines":
			err = eachField(tape, at, func(language string, at int) error {
				engine, err := decodeEngine(tape, at)
				engine.Language = language
				v.Engines = append(v.Engines, engine)
				return err
			})
		}
		return err
	})
	return v, err
}
