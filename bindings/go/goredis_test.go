package redis_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	redis "tendon.dev/redis"
)

// What programs written for go-redis compare: texts of errors and what is sent. Every text here is
// that of go-redis v9.23.0, which was run against the same server.

func wantError(t *testing.T, what string, err error, want string) {
	t.Helper()
	if got := fmt.Sprint(err); got != want {
		t.Errorf("%s gave\n\t%s, want\n\t%s", what, got, want)
	}
}

const (
	noCommand = "redis: please enter the command to be executed"
	noName    = "ERR unknown command '', with args beginning with: "
	aborted   = "EXECABORT Transaction discarded because of previous errors."
)

func TestCommandWithoutName(t *testing.T) {
	c, key := standalone(t)
	cluster := openCluster(t, &redis.ClusterOptions{Addrs: servers(t).Cluster.addrs()})
	for name, one := range map[string]redis.Cmdable{"client": c, "cluster": cluster} {
		do := one.(redis.UniversalClient).Do
		wantError(t, name+" Do()", do(bg(t)).Err(), noCommand)
		wantError(t, name+` Do("")`, do(bg(t), "").Err(), noName)
		wantError(t, name+` Do(nil, "x", 1)`, do(bg(t), nil, "x", 1).Err(), noName+"'x' '1' ")
		err := do(bg(t), []byte{}).Err()
		if _, ok := err.(redis.Error); !ok || executed(err) != redis.ExecutedNo {
			t.Errorf("%s: %v is no error of a server that says it was not executed", name, err)
		}
		var none *redis.Cmd
		var cmds []redis.Cmder
		cmds, err = one.Pipelined(bg(t), func(p redis.Pipeliner) error {
			p.Set(bg(t), key, "value", 0)
			none = p.Do(bg(t))
			p.Get(bg(t), key)
			return nil
		})
		wantError(t, name+" Do() in a pipeline", none.Err(), noCommand)
		if err != nil || len(cmds) != 2 {
			t.Errorf("%s: the others gave %v, %v", name, cmds, err)
		}
		cmds, err = one.Pipelined(bg(t), func(p redis.Pipeliner) error {
			p.Set(bg(t), key, "value", 0)
			p.Do(bg(t), "")
			p.Get(bg(t), key)
			return nil
		})
		wantError(t, name+` Do("") in a pipeline`, err, noName)
		if cmds[0].Err() != nil || cmds[2].(*redis.StringCmd).Val() != "value" {
			t.Errorf("%s: the others gave %v", name, cmds)
		}
		_ = one.Del(bg(t), key)
	}
	cmds, err := c.TxPipelined(bg(t), func(p redis.Pipeliner) error {
		p.Set(bg(t), key, "never", 0)
		p.Do(bg(t), "")
		return nil
	})
	wantError(t, `Do("") in a transaction`, err, aborted)
	wantError(t, "the other", cmds[0].Err(), aborted)
	wantError(t, "it", cmds[1].Err(), noName)
	count, err := c.Exists(bg(t), key).Result()
	same(t, count, err, 0)
}

// executed is what an error of a server says of its command.
func executed(err error) redis.Executed {
	return err.(interface{ Executed() redis.Executed }).Executed()
}

// monitored is what the server executed for `key`, as MONITOR shows it, while `call` ran.
func monitored(t *testing.T, c *redis.Client, key string, call func()) []string {
	t.Helper()
	lines := make(chan string, 1000)
	monitor := c.Monitor(bg(t), lines)
	must(t, monitor.Err())
	monitor.Start()
	defer monitor.Stop()
	call()
	must(t, c.Do(bg(t), "echo", key+":end").Err())
	var seen []string
	for {
		select {
		case line := <-lines:
			if strings.Contains(line, key+":end") {
				return seen
			}
			if strings.Contains(line, `"`+key+`"`) {
				seen = append(seen, line[strings.Index(line, "] ")+2:])
			}
		case <-time.After(soon):
			t.Fatal("MONITOR does not show what was sent")
		}
	}
}

func TestSetNXOnTheWire(t *testing.T) {
	c, key := standalone(t)
	for _, one := range []struct {
		expiration time.Duration
		words      string
		err        string
	}{
		{0, "", "<nil>"},
		{redis.KeepTTL, `"keepttl" `, "<nil>"},
		{1500 * time.Millisecond, `"px" "1500" `, "<nil>"},
		{2 * time.Second, `"ex" "2" `, "<nil>"},
		{5, `"px" "1" `, "<nil>"},
		{-2, `"px" "0" `, "ERR invalid expire time in 'set' command"},
		{-5 * time.Second, `"px" "-5000" `, "ERR invalid expire time in 'set' command"},
	} {
		must(t, c.Del(bg(t), key).Err())
		seen := monitored(t, c, key, func() {
			wantError(t, "SetNX", c.SetNX(bg(t), key, "v", one.expiration).Err(), one.err)
			wantError(t, "SetXX", c.SetXX(bg(t), key, "v", one.expiration).Err(), one.err)
		})
		want := []string{fmt.Sprintf(`"set" "%s" "v" %s"nx"`, key, one.words),
			fmt.Sprintf(`"set" "%s" "v" %s"xx"`, key, one.words)}
		if one.err == "<nil>" && !reflect.DeepEqual(seen, want) {
			t.Errorf("%v sent %q, want %q", one.expiration, seen, want)
		}
	}
	set, err := c.SetNX(bg(t), key, "v", 0).Result()
	same(t, set, err, true)
	set, err = c.SetNX(bg(t), key, "v", 0).Result()
	same(t, set, err, false)
}

func TestRefusedTransactions(t *testing.T) {
	c, key := standalone(t)
	cluster := openCluster(t, &redis.ClusterOptions{Addrs: servers(t).Cluster.addrs()})
	key = "{" + key + "}"
	refuse := func(p redis.Pipeliner) error {
		p.Set(bg(t), key, 1, 0)
		p.Do(bg(t), "set", key)
		p.Do(bg(t), "nonsense", key)
		return nil
	}
	arity := "ERR wrong number of arguments for 'set' command"
	var inWatch error
	watch := func() ([]redis.Cmder, error) {
		var cmds []redis.Cmder
		err := cluster.Watch(bg(t), func(tx *redis.Tx) error {
			cmds, inWatch = tx.TxPipelined(bg(t), refuse)
			return inWatch
		}, key)
		return cmds, err
	}
	for name, one := range map[string]struct {
		run  func() ([]redis.Cmder, error)
		want string
	}{
		"client": {func() ([]redis.Cmder, error) { return c.TxPipelined(bg(t), refuse) }, aborted},
		"cluster": {func() ([]redis.Cmder, error) {
			return cluster.TxPipelined(bg(t), refuse)
		}, arity},
		"watch": {watch, aborted},
	} {
		cmds, err := one.run()
		wantError(t, name, err, one.want)
		wantError(t, name+": what was queued", cmds[0].Err(), aborted)
		wantError(t, name+": too few arguments", cmds[1].Err(), arity)
		if executed(err) != redis.ExecutedNo || executed(cmds[1].Err()) != redis.ExecutedNo {
			t.Errorf("%s: %v does not say that nothing was executed", name, err)
		}
		if !redis.HasErrorPrefix(cmds[2].Err(), "ERR unknown command 'nonsense'") {
			t.Errorf("%s: an unknown command gave %v", name, cmds[2].Err())
		}
	}
}

func TestErrorsOfOtherReplies(t *testing.T) {
	c, key := standalone(t)
	must(t, c.Set(bg(t), key, "abc", 0).Err())
	must(t, c.RPush(bg(t), key+"l", "1", "abc").Err())
	must(t, c.HSet(bg(t), key+"h", "a", "b").Err())
	defer c.Del(bg(t), key, key+"l", key+"h")
	get := []interface{}{"get", key}
	lrange := []interface{}{"lrange", key + "l", 0, -1}
	hgetall := []interface{}{"hgetall", key + "h"}
	list := `redis: can't parse array/set/push reply: "$3"`
	mapping := `redis: can't parse map reply: "$3"`
	text := `redis: can't parse reply="*2" reading string`
	for _, one := range []struct {
		cmd  redis.Cmder
		want string
	}{
		{redis.NewIntCmd(bg(t), get...), `strconv.ParseInt: parsing "abc": invalid syntax`},
		{redis.NewFloatCmd(bg(t), get...), `strconv.ParseFloat: parsing "abc": invalid syntax`},
		{redis.NewStringSliceCmd(bg(t), get...), list},
		{redis.NewZSliceCmd(bg(t), get...), list},
		{redis.NewScanCmd(bg(t), nil, get...), list},
		{redis.NewTimeCmd(bg(t), get...), list},
		{redis.NewStringStructMapCmd(bg(t), get...), list},
		{redis.NewMapStringStringCmd(bg(t), get...), mapping},
		{redis.NewMapStringIntCmd(bg(t), get...), mapping},
		{redis.NewIntCmd(bg(t), lrange...), `redis: can't parse int reply: "*2"`},
		{redis.NewFloatCmd(bg(t), lrange...), `redis: can't parse float reply: "*2"`},
		{redis.NewStringCmd(bg(t), lrange...), text},
		{redis.NewStatusCmd(bg(t), lrange...), text},
		{redis.NewBoolCmd(bg(t), lrange...), text},
		{redis.NewIntCmd(bg(t), hgetall...), `redis: can't parse int reply: "%1"`},
		{redis.NewStringCmd(bg(t), hgetall...), `redis: can't parse reply="%1" reading string`},
	} {
		_ = c.Process(bg(t), one.cmd)
		wantError(t, fmt.Sprintf("%T of %v", one.cmd, one.cmd.Args()[0]), one.cmd.Err(), one.want)
	}
	for name, want := range map[string]string{
		"Text": "String", "Int": "Int", "Int64": "Int64", "Uint64": "Uint64", "Float32": "Float32",
		"Float64": "Float64", "Bool": "Bool",
	} {
		got := reflect.ValueOf(c.Do(bg(t), lrange...)).MethodByName(name).Call(nil)[1]
		wantError(t, "Cmd."+name, got.Interface().(error),
			"redis: unexpected type=[]interface {} for "+want)
	}
	_, err := c.Do(bg(t), get...).Int()
	wantError(t, "Cmd.Int", err, `strconv.Atoi: parsing "abc": invalid syntax`)
	_, err = c.Do(bg(t), get...).Int64Slice()
	wantError(t, "Cmd.Int64Slice", err, "redis: unexpected type=string for Slice")
	_, err = c.Do(bg(t), lrange...).Uint64Slice()
	wantError(t, "Cmd.Uint64Slice", err, `strconv.ParseUint: parsing "abc": invalid syntax`)
}

type marked struct {
	I   int                  `redis:"i"`
	U   uint8                `redis:"u"`
	F   float32              `redis:"f"`
	B   bool                 `redis:"b"`
	P   *int                 `redis:"p"`
	T   time.Time            `redis:"t"`
	M   map[string]string    `redis:"m"`
	Own refusing             `redis:"own"`
	L   []int                `redis:"l"`
	Y   []byte               `redis:"y"`
	S   *string              `redis:"s"`
	_   map[string]time.Time // not marked
}

type refusing struct{}

func (*refusing) ScanRedis(text string) error { return fmt.Errorf("refused %q", text) }

func TestErrorsOfScan(t *testing.T) {
	scan := func(name, text string, to interface{}) error {
		return redis.NewMapStringStringResult(map[string]string{name: text}, nil).Scan(to)
	}
	stringMap := "map[string]string"
	syntax := func(name string) string {
		return fmt.Sprintf(`strconv.%s: parsing "abc": invalid syntax`, name)
	}
	field := "cannot scan redis.result abc into struct field marked.%s of type %s, error-%s"
	for name, want := range map[string]string{
		"i":   fmt.Sprintf(field, "I", "int", syntax("ParseInt")),
		"u":   fmt.Sprintf(field, "U", "uint8", syntax("ParseUint")),
		"f":   fmt.Sprintf(field, "F", "float32", syntax("ParseFloat")),
		"b":   fmt.Sprintf(field, "B", "bool", syntax("ParseBool")),
		"p":   fmt.Sprintf(field, "P", "*int", syntax("ParseInt")),
		"m":   fmt.Sprintf(field, "M", stringMap, "redis.Scan(unsupported "+stringMap+")"),
		"t":   `parsing time "abc" as "2006-01-02T15:04:05Z07:00": cannot parse "abc" as "2006"`,
		"own": `refused "abc"`, "y": "<nil>", "s": "<nil>", "other": "<nil>",
		// go-redis leaves such a field out silently.
		"l": fmt.Sprintf(field, "L", "[]int", "redis.Scan(unsupported []int)"),
	} {
		wantError(t, "the field "+name, scan(name, "abc", &marked{}), want)
	}
	number := 7
	kept := marked{I: 3}
	_ = scan("i", "99999999999999999999", &kept)
	if kept.I != 3 {
		t.Errorf("a number that does not fit became %d", kept.I)
	}
	for want, to := range map[string]interface{}{
		"redis.Scan(non-pointer <nil>)":              nil,
		"redis.Scan(non-pointer redis_test.marked)":  marked{},
		"redis.Scan(non-struct *int)":                &number,
		"redis.Scan(non-pointer *redis_test.marked)": (*marked)(nil),
	} {
		wantError(t, fmt.Sprintf("Scan(%T)", to), scan("i", "1", to), want)
	}
}

func TestErrorsOfScanOfOneValue(t *testing.T) {
	value := redis.NewStringResult("abc", nil)
	unable := "redis: can't unmarshal %T (consider implementing BinaryUnmarshaler)"
	for _, to := range []interface{}{new(chan int), new([]int), new(map[string]string), 5, "x",
		new(complex64), struct{}{}} {
		wantError(t, fmt.Sprintf("Scan(%T)", to), value.Scan(to), fmt.Sprintf(unable, to))
	}
	wantError(t, "Scan(nil)", value.Scan(nil), "redis: Scan(nil)")
	wantError(t, "Scan(*int)", value.Scan(new(int)), `strconv.Atoi: parsing "abc": invalid syntax`)
	wantError(t, "Scan(*int8)", value.Scan(new(int8)),
		`strconv.ParseInt: parsing "abc": invalid syntax`)
	wantError(t, "Scan of no place", value.Scan((*int)(nil)), fmt.Sprintf(unable, (*int)(nil)))

	list := redis.NewStringSliceResult([]string{"1", "abc"}, nil)
	numbers := []int{0}
	wantError(t, "ScanSlice", list.ScanSlice(&numbers),
		`redis: ScanSlice index=1 value="abc" failed: strconv.Atoi: parsing "abc": invalid syntax`)
	if !reflect.DeepEqual(numbers, []int{0, 1}) {
		t.Errorf("ScanSlice left %v", numbers)
	}
	var pointers []*string
	must(t, list.ScanSlice(&pointers))
	if len(pointers) != 2 || *pointers[1] != "abc" {
		t.Errorf("ScanSlice gave %v", pointers)
	}
	wantError(t, "ScanSlice(nil)", list.ScanSlice(nil), "redis: ScanSlice(nil)")
	wantError(t, "ScanSlice([]int)", list.ScanSlice([]int{}), "redis: ScanSlice(non-pointer []int)")
	wantError(t, "ScanSlice(*int)", list.ScanSlice(new(int)), "redis: ScanSlice(non-slice *int)")
}
