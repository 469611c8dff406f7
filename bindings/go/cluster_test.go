package redis_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	redis "tendon.dev/redis"
)

func openCluster(t testing.TB, opt *redis.ClusterOptions) *redis.ClusterClient {
	t.Helper()
	own := *opt
	if own.ReadTimeout == 0 {
		own.ReadTimeout = patience
	}
	c := redis.NewClusterClient(&own)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// spread is keys that are sure to be on several nodes, deleted after the test.
func spread(t testing.TB, c *redis.ClusterClient, count int) []string {
	t.Helper()
	keys := make([]string, count)
	for i := range keys {
		keys[i] = fmt.Sprintf("go:%s:%d", t.Name(), i)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		for _, key := range keys {
			c.Del(ctx, key)
		}
	})
	return keys
}

func TestCluster(t *testing.T) {
	for _, addrs := range [][]string{servers(t).Cluster.addrs(), servers(t).Cluster.addrs()[4:5]} {
		t.Run(fmt.Sprintf("%d seeds", len(addrs)), func(t *testing.T) {
			c := openCluster(t, &redis.ClusterOptions{Addrs: addrs})
			ctx := bg(t)
			keys := spread(t, c, 50)
			for i, key := range keys {
				must(t, c.Set(ctx, key, i, time.Minute).Err())
			}
			for i, key := range keys {
				value, err := c.Get(ctx, key).Int()
				same(t, value, err, i)
			}
		})
	}
}

func TestClusterPipeline(t *testing.T) {
	c := openCluster(t, &redis.ClusterOptions{Addrs: servers(t).Cluster.addrs()})
	ctx := bg(t)
	keys := spread(t, c, 300)
	pipe := c.Pipeline()
	for i, key := range keys {
		pipe.Set(ctx, key, i, time.Minute)
	}
	crossed := pipe.SInter(ctx, keys[0], keys[1], keys[2], keys[3])
	var gets []*redis.StringCmd
	for _, key := range keys {
		gets = append(gets, pipe.Get(ctx, key))
	}
	_, err := pipe.Exec(ctx)
	if err != crossed.Err() || !redis.HasErrorPrefix(err, "CROSSSLOT") {
		t.Fatalf("the pipeline's error is %v, that of SINTER %v", err, crossed.Err())
	}
	for i, get := range gets {
		value, err := get.Int()
		same(t, value, err, i)
	}
}

func TestClusterTransactions(t *testing.T) {
	c := openCluster(t, &redis.ClusterOptions{Addrs: servers(t).Cluster.addrs()})
	ctx := bg(t)
	key := "go:{" + t.Name() + "}:"
	defer c.Del(ctx, key+"a", key+"b")
	var got *redis.StringCmd
	_, err := c.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, key+"a", "1", time.Minute)
		p.Incr(ctx, key+"b")
		got = p.Get(ctx, key+"a")
		return nil
	})
	same(t, got.Val(), err, "1")
	_, err = c.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Incr(ctx, "go:x")
		p.Incr(ctx, "go:y")
		p.Incr(ctx, "go:z")
		return nil
	})
	if !redis.HasErrorPrefix(err, "CROSSSLOT") || !errors.Is(err, redis.ErrCrossSlot) {
		t.Fatalf("keys of several slots gave %v", err)
	}
	must(t, c.Watch(ctx, func(tx *redis.Tx) error {
		number, err := tx.Get(ctx, key+"b").Int()
		if err != nil {
			return err
		}
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.Set(ctx, key+"b", number+10, time.Minute)
			return nil
		})
		return err
	}, key+"a", key+"b"))
	sum, err := c.Get(ctx, key+"b").Int()
	same(t, sum, err, 11)
	if err := c.Watch(ctx, func(*redis.Tx) error { return nil }, "go:x", "go:y"); err == nil {
		t.Fatal("Watch took keys of two slots")
	}
}

func TestClusterNodes(t *testing.T) {
	c := openCluster(t, &redis.ClusterOptions{Addrs: servers(t).Cluster.addrs()})
	ctx := bg(t)
	keys := spread(t, c, 60)
	for _, key := range keys {
		must(t, c.Set(ctx, key, 1, time.Minute).Err())
	}
	var mutex sync.Mutex
	seen := map[string]string{} // SCAN may tell a key twice
	holders := map[string]int{}
	must(t, c.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		it := node.Scan(ctx, 0, "go:"+t.Name()+":*", 10).Iterator()
		for it.Next(ctx) {
			mutex.Lock()
			seen[it.Val()] = node.Options().Addr
			holders[node.Options().Addr]++
			mutex.Unlock()
		}
		return it.Err()
	}))
	if len(holders) != 3 || len(seen) != len(keys) {
		t.Fatalf("primaries hold %d keys of %d: %v", len(seen), len(keys), holders)
	}
	size, err := c.DBSize(ctx).Result()
	if err != nil || size < int64(len(keys)) {
		t.Fatalf("DBSIZE of the cluster is %d, %v", size, err)
	}
	stats := c.PoolStats()
	if stats.TotalConns < 3 {
		t.Errorf("statistics %+v", stats)
	}
}

// A script is known wherever a key is, and a cluster has it when every node does.
func TestClusterScripts(t *testing.T) {
	c := openCluster(t, &redis.ClusterOptions{Addrs: servers(t).Cluster.addrs()})
	ctx := bg(t)
	script := fmt.Sprintf("return KEYS[1] --%d", time.Now().UnixNano())
	sha, err := c.ScriptLoad(ctx, script).Result()
	must(t, err)
	for _, key := range spread(t, c, 20) {
		value, err := c.EvalSha(ctx, sha, []string{key}).Text()
		same(t, value, err, key)
	}
	missing := strings.Repeat("0", 40)
	for i := 0; i < 20; i++ {
		known, err := c.ScriptExists(ctx, sha, missing).Result()
		equal(t, known, err, []bool{true, false})
	}
	one := fmt.Sprintf("return 1 --%d", time.Now().UnixNano())
	must(t, c.Eval(ctx, one, []string{"go:one"}).Err())
	known, err := c.ScriptExists(ctx, redis.NewScript(one).Hash()).Result()
	equal(t, known, err, []bool{false})
}

func TestClusterReadsFromReplicas(t *testing.T) {
	for name, opt := range map[string]*redis.ClusterOptions{
		"ReadOnly": {ReadOnly: true}, "RouteRandomly": {RouteRandomly: true},
	} {
		t.Run(name, func(t *testing.T) {
			opt.Addrs = servers(t).Cluster.addrs()
			c := openCluster(t, opt)
			ctx := bg(t)
			key := spread(t, c, 1)[0]
			must(t, c.Set(ctx, key, "v", time.Minute).Err())
			deadline := time.Now().Add(patience)
			for {
				value, err := c.Get(ctx, key).Result()
				if err == nil && value == "v" {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("a replica never had the key: %q, %v", value, err)
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
}

func TestClusterTLS(t *testing.T) {
	s := servers(t).TLSCluster
	ca := map[string]string{"tls_ca_file": s.CAFile}
	c := openCluster(t, &redis.ClusterOptions{Addrs: s.addrs()[:2], TLSConfig: &tls.Config{},
		CoreOptions: ca})
	for _, key := range spread(t, c, 20) {
		must(t, c.Set(bg(t), key, 1, time.Minute).Err())
	}
	roundTrip(t, openCluster(t, &redis.ClusterOptions{Addrs: s.addrs()[:1],
		TLSConfig: &tls.Config{InsecureSkipVerify: true}}))
	c = openCluster(t, &redis.ClusterOptions{Addrs: s.addrs(),
		TLSConfig: &tls.Config{RootCAs: roots(t, s.CAFile), ServerName: "x"}})
	failure := refused(t, c, "UNSUPPORTED", "RootCAs", "tls_ca_file")
	if strings.Contains(failure.Error(), "with RootCAs, ServerName") {
		t.Errorf("a field that is supported is named as one that is not: %v", failure)
	}
}

func TestClusterRefusals(t *testing.T) {
	refused(t, openCluster(t, &redis.ClusterOptions{}), "CONFIG", "no nodes")
	refused(t, openCluster(t, &redis.ClusterOptions{Addrs: []string{"nonsense"}}), "CONFIG",
		`"nonsense"`)
	refused(t, openCluster(t, &redis.ClusterOptions{Addrs: []string{"h:1"}, RouteByLatency: true}),
		"UNSUPPORTED", "RouteByLatency")
	// A plain server is no cluster; its own words are part of the error.
	c := openCluster(t, &redis.ClusterOptions{Addrs: []string{servers(t).Standalone.addr()}})
	refused(t, c, "TOPOLOGY", "cluster support disabled")
}

func TestUniversalClient(t *testing.T) {
	s := servers(t)
	one := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: []string{s.Standalone.addr()}})
	defer one.Close()
	if _, ok := one.(*redis.Client); !ok {
		t.Fatalf("one address made a %T", one)
	}
	roundTrip(t, one)
	many := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: s.Cluster.addrs()[:1],
		IsClusterMode: true})
	defer many.Close()
	if _, ok := many.(*redis.ClusterClient); !ok {
		t.Fatalf("IsClusterMode made a %T", many)
	}
	roundTrip(t, many)
}

// A plain client on a cluster's node hands MOVED to the program, as go-redis does.
func TestClientOnClusterNode(t *testing.T) {
	c := open(t, &redis.Options{Addr: servers(t).Cluster.addrs()[0]})
	moved := 0
	for i := 0; i < 30; i++ {
		err := c.Get(bg(t), fmt.Sprintf("go:%d", i)).Err()
		if redis.HasErrorPrefix(err, "MOVED ") {
			moved++
		} else if err != redis.Nil {
			t.Fatal(err)
		}
	}
	if moved == 0 {
		t.Fatal("no key was elsewhere")
	}
}

func TestClientsOfNodes(t *testing.T) {
	c := openCluster(t, &redis.ClusterOptions{Addrs: servers(t).Cluster.addrs()})
	ctx := bg(t)
	var made atomic.Int32
	c.OnNewNode(func(*redis.Client) { made.Add(1) })
	key := "{go:owner}"
	must(t, c.Set(ctx, key, "v", time.Minute).Err())
	primary, err := c.MasterForKey(ctx, key)
	must(t, err)
	value, err := primary.Get(ctx, key).Result()
	same(t, value, err, "v")
	role, err := primary.Do(ctx, "role").Slice()
	must(t, err)
	if role[0] != "master" {
		t.Errorf("the primary says of itself %v", role)
	}
	again, err := c.MasterForKey(ctx, key)
	same(t, again, err, primary)
	replica, err := c.SlaveForKey(ctx, key)
	must(t, err)
	if replica == primary || replica.NodeAddress() == primary.NodeAddress() {
		t.Errorf("the replica is the primary, %s", primary.NodeAddress())
	}
	if made.Load() != 2 {
		t.Errorf("%d clients of nodes were made, not 2", made.Load())
	}
	must(t, c.Del(ctx, key).Err())
}

func TestScriptsOnEveryNode(t *testing.T) {
	c := openCluster(t, &redis.ClusterOptions{Addrs: servers(t).Cluster.addrs()})
	ctx := bg(t)
	source := fmt.Sprintf("return ARGV[1] -- %d", time.Now().UnixNano())
	for _, script := range []*redis.Script{redis.NewScript(source),
		redis.NewScriptServerSHA(source + "!")} {
		must(t, script.Load(ctx, c).Err())
		known, err := script.Exists(ctx, c).Result()
		equal(t, known, err, []bool{true})
		for _, key := range []string{"{a}", "{b}", "{c}", "{d}"} {
			text, err := script.EvalSha(ctx, c, []string{key}, "x").Text()
			same(t, text, err, "x")
			text, err = script.EvalShaRO(ctx, c, []string{key}, "y").Text()
			same(t, text, err, "y")
			text, err = script.EvalRO(ctx, c, []string{key}, "z").Text()
			same(t, text, err, "z")
		}
	}
	unknown := c.EvalSha(ctx, "0000000000000000000000000000000000000000", []string{"{a}"})
	if err := unknown.Err(); !redis.HasErrorPrefix(err, "NOSCRIPT") {
		t.Errorf("an unknown script gave %v", err)
	}
	text, err := redis.NewScript(source+"?").Run(ctx, c, []string{"{b}"}, "run").Text()
	same(t, text, err, "run")
}

func TestKeysOfSeveralSlots(t *testing.T) {
	c := openCluster(t, &redis.ClusterOptions{Addrs: servers(t).Cluster.addrs()})
	ctx := bg(t)
	one, two := "go:slots:{a}", "go:slots:{b}"
	must(t, c.MSet(ctx, one, 1, two, 2).Err())
	values, err := c.MGet(ctx, two, "go:slots:none", one).Result()
	equal(t, values, err, []interface{}{"2", nil, "1"})
	count, err := c.Exists(ctx, one, two, one).Result()
	same(t, count, err, 3)
	for name, err := range map[string]error{
		"SInter": c.SInter(ctx, one, two).Err(),
		"Rename": c.Rename(ctx, one, two).Err(),
		"MSetNX": c.MSetNX(ctx, one, 1, two, 2).Err(),
	} {
		if !errors.Is(err, redis.ErrCrossSlot) || !redis.HasErrorPrefix(err, "CROSSSLOT") {
			t.Errorf("%s gave %v", name, err)
		}
	}
	count, err = c.Del(ctx, one, two).Result()
	same(t, count, err, 2)
}

func TestRedirectionErrors(t *testing.T) {
	c := openCluster(t, &redis.ClusterOptions{Addrs: servers(t).Cluster.addrs()})
	ctx := bg(t)
	owner, err := c.MasterForKey(ctx, "{a}")
	must(t, err)
	other, err := c.MasterForKey(ctx, "{b}")
	must(t, err)
	if owner == other {
		t.Skip("both keys are on one node")
	}
	plain := open(t, &redis.Options{Addr: other.NodeAddress()})
	addr, ok := redis.IsMovedError(plain.Get(ctx, "{a}").Err())
	if _, port, _ := net.SplitHostPort(owner.NodeAddress()); !ok || !strings.HasSuffix(addr, port) {
		t.Errorf("moved to %q, %v; the owner is %s", addr, ok, owner.NodeAddress())
	}
	if _, ok := redis.IsAskError(redis.Nil); ok {
		t.Error("Nil asks")
	}
}
