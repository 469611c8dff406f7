package redis

import (
	"fmt"
	"net"
	"strings"
	"time"

	"tendon.dev/redis/internal/core"
)

// eachPair calls `each` for the nodes of every pair in a map, in a list of pairs, or in a flat list
// where RESP2 has no map.
func eachPair(tape core.Tape, i int, each func(first, second int) error) error {
	if err := nested(tape, i); err != nil {
		return err
	}
	if !tape.IsAggregate(i) {
		return unexpected(tape, i, "pairs of name and value")
	}
	end := tape.Next(i)
	for at := i + 1; at < end; {
		first, next := at, 0
		if tape.Type(i) != core.NodeMap && tape.IsAggregate(at) {
			first, next = at+1, tape.Next(at)
		}
		isPair := next == 0 && tape.Next(at) < end || next != 0 && tape.Size(at) == 2
		if !isPair {
			return unexpected(tape, i, "pairs of name and value")
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
	return eachPair(tape, i, func(first, second int) error {
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
		return unexpected(tape, i, "a list")
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

// decodeReply is the value of a command of any name: a null or an error is its error.
func decodeReply(tape core.Tape, i int) (interface{}, error) {
	if err := nested(tape, i); err != nil {
		return nil, err
	}
	return decodeAny(tape, i), nil
}

func decodeValue(tape core.Tape, i int) (interface{}, error) { return decodeAny(tape, i), nil }

// decodeMap is mapOf(decodeText), which HGETALL is too hot for.
func decodeMap(tape core.Tape, i int) (map[string]string, error) {
	all := make(map[string]string, 8)
	err := eachPair(tape, i, func(first, second int) error {
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
	texts, err := decodeTexts(tape, i)
	if err != nil {
		return nil, err
	}
	all := make(map[string]struct{}, len(texts))
	for _, text := range texts {
		all[text] = struct{}{}
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

func decodeSeconds(tape core.Tape, i int) (time.Duration, error) {
	return decodeUnits(tape, i, time.Second)
}

func decodeMillis(tape core.Tape, i int) (time.Duration, error) {
	return decodeUnits(tape, i, time.Millisecond)
}

func decodeMicros(tape core.Tape, i int) (time.Duration, error) {
	return decodeUnits(tape, i, time.Microsecond)
}

// decodeUnits keeps negative numbers as they are: they are codes.
func decodeUnits(tape core.Tape, i int, unit time.Duration) (time.Duration, error) {
	number, err := decodeInt(tape, i)
	if number < 0 {
		return time.Duration(number), err
	}
	return time.Duration(number) * unit, err
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
	if err != nil {
		return time.Time{}, err
	}
	if len(parts) != 2 {
		return time.Time{}, unexpected(tape, i, "a time")
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

func decodeZs(tape core.Tape, i int) ([]Z, error) {
	zs := make([]Z, 0, 8)
	err := eachPair(tape, i, func(first, second int) error {
		member, err := decodeText(tape, first)
		if err != nil {
			return err
		}
		score, err := decodeFloat(tape, second)
		zs = append(zs, Z{Score: score, Member: member})
		return err
	})
	if err != nil {
		return nil, err
	}
	return zs, nil
}

func decodeZWithKey(tape core.Tape, i int) (*ZWithKey, error) {
	z := &ZWithKey{}
	err := eachElement(tape, i, func(place, at int) (err error) {
		switch place {
		case 0:
			z.Key, err = decodeText(tape, at)
		case 1:
			z.Member, err = decodeText(tape, at)
		case 2:
			z.Score, err = decodeFloat(tape, at)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return z, nil
}

// decodeKeyed is a key and what was taken from it.
func decodeKeyed[T any](tape core.Tape, i int, decode decoder[T]) (key string, val T, err error) {
	err = eachElement(tape, i, func(place, at int) (err error) {
		switch place {
		case 0:
			key, err = decodeText(tape, at)
		case 1:
			val, err = decode(tape, at)
		}
		return err
	})
	return key, val, err
}

func decodeZsWithKey(tape core.Tape, i int) (string, []Z, error) {
	return decodeKeyed(tape, i, decodeZs)
}

func decodeKeyValuesPair(tape core.Tape, i int) (string, []string, error) {
	return decodeKeyed(tape, i, decodeTexts)
}

func decodeKeyValues(tape core.Tape, i int) ([]KeyValue, error) {
	all := []KeyValue{}
	err := eachPair(tape, i, func(first, second int) (err error) {
		var one KeyValue
		if one.Key, err = decodeText(tape, first); err != nil {
			return err
		}
		one.Value, err = decodeText(tape, second)
		all = append(all, one)
		return err
	})
	return all, err
}

// decodeXMessage leaves Values nil when the entry no longer exists.
func decodeXMessage(tape core.Tape, i int) (v XMessage, err error) {
	err = eachElement(tape, i, func(place, at int) (err error) {
		switch place {
		case 0:
			v.ID, err = decodeText(tape, at)
		case 1:
			v.Values, err = mapOf(decodeTextValue)(tape, at)
		case 2:
			v.MillisElapsedFromDelivery, err = decodeInt(tape, at)
		case 3:
			v.DeliveredCount, err = decodeInt(tape, at)
		}
		return err
	})
	return v, err
}

func decodeTextValue(tape core.Tape, i int) (interface{}, error) { return decodeText(tape, i) }

func decodeXMessages(tape core.Tape, i int) ([]XMessage, error) {
	return decodeEach(tape, i, decodeXMessage)
}

// decodeXStreams takes pairs of name and entries, which RESP3 has in a map.
func decodeXStreams(tape core.Tape, i int) ([]XStream, error) {
	var all []XStream
	err := eachPair(tape, i, func(first, second int) (err error) {
		var one XStream
		if one.Stream, err = decodeText(tape, first); err != nil {
			return err
		}
		one.Messages, err = decodeXMessages(tape, second)
		all = append(all, one)
		return err
	})
	return all, err
}

func decodeAutoClaim(tape core.Tape, i int) ([]XMessage, string, error) {
	messages, start, _, err := decodeClaimed(tape, i, decodeXMessages)
	return messages, start, err
}

func decodeAutoClaimDeleted(tape core.Tape, i int) ([]XMessage, string, []string, error) {
	return decodeClaimed(tape, i, decodeXMessages)
}

func decodeAutoClaimIDs(tape core.Tape, i int) ([]string, string, error) {
	ids, start, _, err := decodeClaimed(tape, i, decodeTexts)
	return ids, start, err
}

func decodeClaimed[T any](tape core.Tape, i int, decode decoder[T]) (val T, start string,
	deleted []string, err error) {
	err = eachElement(tape, i, func(place, at int) (err error) {
		switch place {
		case 0:
			start, err = decodeText(tape, at)
		case 1:
			val, err = decode(tape, at)
		case 2:
			deleted, err = decodeTexts(tape, at)
		}
		return err
	})
	return val, start, deleted, err
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

func decodeGeoLocations(tape core.Tape, i int) ([]GeoLocation, error) {
	return decodeEach(tape, i, decodeGeoLocation)
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

func decodeClusterSlots(tape core.Tape, i int) ([]ClusterSlot, error) {
	return decodeEach(tape, i, decodeClusterSlot)
}

func decodeClusterSlot(tape core.Tape, i int) (v ClusterSlot, err error) {
	err = eachElement(tape, i, func(place, at int) error {
		if place >= 2 {
			node, err := decodeClusterNode(tape, at)
			v.Nodes = append(v.Nodes, node)
			return err
		}
		slot, err := decodeInt(tape, at)
		if place == 0 {
			v.Start = int(slot)
		} else {
			v.End = int(slot)
		}
		return err
	})
	return v, err
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

func decodeClusterShards(tape core.Tape, i int) ([]ClusterShard, error) {
	return decodeEach(tape, i, decodeClusterShard)
}

func decodeClusterShard(tape core.Tape, i int) (v ClusterShard, err error) {
	err = eachField(tape, i, func(name string, at int) (err error) {
		switch name {
		case "slots":
			var bounds []int64
			bounds, err = decodeInts(tape, at)
			for k := 0; k+1 < len(bounds); k += 2 {
				v.Slots = append(v.Slots, SlotRange{bounds[k], bounds[k+1]})
			}
		case "nodes":
			v.Nodes, err = decodeEach(tape, at, decodeNode)
		}
		return err
	})
	return v, err
}

func decodeCommandInfos(tape core.Tape, i int) (map[string]*CommandInfo, error) {
	list, err := decodeEach(tape, i, pointerTo(decodeCommandInfo))
	if err != nil {
		return nil, err
	}
	all := make(map[string]*CommandInfo, len(list))
	for _, one := range list {
		if one != nil {
			all[one.Name] = one
		}
	}
	return all, nil
}

func decodeCommandInfo(tape core.Tape, i int) (v CommandInfo, err error) {
	err = eachElement(tape, i, func(place, at int) (err error) {
		switch place {
		case 0:
			v.Name, err = decodeText(tape, at)
		case 1:
			v.Arity, err = decodeInt8(tape, at)
		case 2:
			v.Flags, err = decodeTexts(tape, at)
		case 3:
			v.FirstKeyPos, err = decodeInt8(tape, at)
		case 4:
			v.LastKeyPos, err = decodeInt8(tape, at)
		case 5:
			v.StepCount, err = decodeInt8(tape, at)
		case 6:
			v.ACLFlags, err = decodeTexts(tape, at)
		}
		return err
	})
	for _, flag := range v.Flags {
		v.ReadOnly = v.ReadOnly || flag == "readonly"
	}
	return v, err
}

func decodeUint(tape core.Tape, i int) (uint64, error) {
	number, err := decodeInt(tape, i)
	return uint64(number), err
}

func decodeInt8(tape core.Tape, i int) (int8, error) {
	number, err := decodeInt(tape, i)
	if err == nil && int64(int8(number)) != number {
		return 0, fmt.Errorf("redis: the server answered with %d, which fits no int8", number)
	}
	return int8(number), err
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
