package redis

import (
	"errors"
	"fmt"
	"time"
)

// Helpers of generated methods: what is sent for arguments that fit no row of the table.

// needsMillis says whether whole seconds cannot express a duration.
func needsMillis(d time.Duration) bool { return d < time.Second || d%time.Second != 0 }

// wholeMillis and wholeSeconds round a positive time that is too short up to one unit, since 0
// would mean something else.
func wholeMillis(d time.Duration) int64 { return wholeUnits(d, time.Millisecond) }

func wholeSeconds(d time.Duration) int64 { return wholeUnits(d, time.Second) }

func wholeUnits(d, unit time.Duration) int64 {
	if d > 0 && d < unit {
		return 1
	}
	return int64(d / unit)
}

func textOr(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// appendExpiry adds EX or PX, whichever keeps the precision; a time of 0 or less adds nothing.
func appendExpiry(args []interface{}, d time.Duration) []interface{} {
	if d <= 0 {
		return args
	}
	return appendLifetime(args, d)
}

func appendPersist(args []interface{}, d time.Duration) []interface{} {
	if d == 0 {
		args = append(args, "persist")
	}
	return args
}

func appendKeepTTL(args []interface{}, d time.Duration) []interface{} {
	if d == KeepTTL {
		args = append(args, "keepttl")
	}
	return args
}

// appendLifetime is the expiration of a SET with a condition: the server refuses a negative one.
func appendLifetime(args []interface{}, d time.Duration) []interface{} {
	switch {
	case d == 0:
		return args
	case d == KeepTTL:
		return append(args, "keepttl")
	case needsMillis(d):
		return append(args, "px", wholeMillis(d))
	}
	return append(args, "ex", wholeSeconds(d))
}

// appendMatch is what the mode of SET compares with.
func appendMatch(args []interface{}, a *SetArgs) []interface{} {
	switch {
	case a.MatchValue != nil:
		return append(args, a.MatchValue)
	case a.MatchDigest != 0:
		return append(args, fmt.Sprintf("%016x", a.MatchDigest))
	}
	return args
}

// appendPairs counts pairs before it lists them.
func appendPairs(args []interface{}, flat []string) []interface{} {
	return appendList(append(args, len(flat)/2), flat)
}

// appendEach sends a word before each element.
func appendEach[T any](args []interface{}, word string, list []T) []interface{} {
	for _, one := range list {
		args = append(args, word, one)
	}
	return args
}

func appendModuleConf(args []interface{}, conf map[string]interface{}) []interface{} {
	for name, value := range conf {
		args = append(args, "config", name, value)
	}
	return args
}

func appendSamples(args []interface{}, samples []int) []interface{} {
	if len(samples) > 0 {
		args = append(args, "samples", samples[0])
	}
	return args
}

func appendBitGets(args []interface{}, values []interface{}) []interface{} {
	for i := 0; i+1 < len(values); i += 2 {
		args = append(args, "get", values[i], values[i+1])
	}
	return args
}

func appendMembers(args []interface{}, members []Z) []interface{} {
	for _, z := range members {
		args = append(args, z.Score, z.Member)
	}
	return args
}

// appendIncr is ZADD's options with INCR, which has to come before the members.
func appendIncr(args []interface{}, a ZAddArgs) []interface{} {
	members := a.Members
	a.Members = nil
	return appendMembers(append(a.appendTo(args), "incr"), members)
}

// appendReversed lays bounds out for commands that take the greater one first.
func appendReversed(args []interface{}, o *ZRangeBy) []interface{} {
	if o == nil {
		return args
	}
	reversed := *o
	reversed.Min, reversed.Max = o.Max, o.Min
	return reversed.appendTo(args)
}

func appendLocations(args []interface{}, locations []*GeoLocation) []interface{} {
	for _, l := range locations {
		if l != nil {
			args = append(args, l.Longitude, l.Latitude, l.Name)
		}
	}
	return args
}

func appendGeoCentre(args []interface{}, q *GeoSearchQuery) []interface{} {
	if q.Member != "" {
		return append(args, "frommember", q.Member)
	}
	return append(args, "fromlonlat", q.Longitude, q.Latitude)
}

func appendGeoShape(args []interface{}, q *GeoSearchQuery) []interface{} {
	if q.Radius > 0 {
		return append(args, "byradius", q.Radius, textOr(q.RadiusUnit, "km"))
	}
	return append(args, "bybox", q.BoxWidth, q.BoxHeight, textOr(q.BoxUnit, "km"))
}

// appendBlock leaves BLOCK out for a negative time; 0 waits for ever.
func appendBlock(args []interface{}, block time.Duration) []interface{} {
	if block < 0 {
		return args
	}
	return append(args, "block", wholeMillis(block))
}

// appendIds repeats the one id for all streams.
func appendIds(args []interface{}, a *XReadArgs) []interface{} {
	for range a.Streams {
		if a.ID != "" {
			args = append(args, a.ID)
		}
	}
	return args
}

func appendTrim(args []interface{}, a *XAddArgs) []interface{} {
	how := "="
	if a.Approx {
		how = "~"
	}
	switch {
	case a.MaxLen > 0:
		args = append(args, "maxlen", how, a.MaxLen)
	case a.MinID != "":
		args = append(args, "minid", how, a.MinID)
	}
	return appendTrimLimit(args, a.Limit)
}

// appendOnce is what lets the server recognise an entry that was added before.
func appendOnce(args []interface{}, a *XAddArgs) []interface{} {
	switch {
	case a.ProducerID == "":
		return args
	case a.IdempotentAuto:
		return append(args, "idmpauto", a.ProducerID)
	case a.IdempotentID != "":
		return append(args, "idmp", a.ProducerID, a.IdempotentID)
	}
	return args
}

// appendTrimLimit: 0 leaves the server its own limit, less asks for none.
func appendTrimLimit(args []interface{}, limit int64) []interface{} {
	if limit == 0 {
		return args
	}
	return append(args, "limit", max(limit, 0))
}

// appendEntry is the fields of a stream's entry: pairs in a slice, or a map.
func appendEntry(args []interface{}, values interface{}) []interface{} {
	if values == nil {
		return args
	}
	return appendFlat(args, values)
}

func appendLogin(args []interface{}, username, password string) []interface{} {
	if password == "" {
		return args
	}
	return append(args, "auth", textOr(username, "default"), password)
}

// What methods find wrong before anything is sent.

func refuseOne[T any](list []T) error { return atMost(list, 1) }

func refuseTwo[T any](list []T) error { return atMost(list, 2) }

func atMost[T any](list []T, limit int) error {
	if len(list) > limit {
		return errors.New("redis: too many arguments")
	}
	return nil
}

func refuseOdd(values []interface{}) error {
	if len(values)%2 != 0 {
		return errors.New("redis: an odd number of arguments where pairs are needed")
	}
	return nil
}

func refuseUnit(o *BitCount) error {
	if o == nil || o.Unit == "" || o.Unit == BitCountIndexByte || o.Unit == BitCountIndexBit {
		return nil
	}
	return errors.New("redis: BitCount.Unit is neither BitCountIndexByte nor BitCountIndexBit")
}

func refuseStore(q *GeoRadiusQuery) error {
	if q != nil && (q.Store != "" || q.StoreDist != "") {
		return errors.New("redis: Store and StoreDist are for GeoRadiusStore and " +
			"GeoRadiusByMemberStore")
	}
	return nil
}

func refuseNoStore(q *GeoRadiusQuery) error {
	if q == nil || (q.Store == "" && q.StoreDist == "") {
		return errors.New("redis: GeoRadiusStore needs Store or StoreDist")
	}
	return nil
}

func refuseTracking(o *ClientTrackingOptions) error {
	switch {
	case o == nil:
		return nil
	case o.OptIn && o.OptOut:
		return errors.New("redis: OptIn and OptOut exclude each other")
	case o.Bcast && (o.OptIn || o.OptOut):
		return errors.New("redis: Bcast goes with neither OptIn nor OptOut")
	case len(o.Prefixes) > 0 && !o.Bcast:
		return errors.New("redis: Prefixes need Bcast")
	}
	return nil
}

func refuseNoConf(conf *ModuleLoadexConfig) error {
	if conf == nil {
		return errors.New("redis: ModuleLoadex needs a ModuleLoadexConfig")
	}
	return nil
}
