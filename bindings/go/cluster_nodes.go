package redis

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"tendon.dev/redis/internal/core"
)

// ForEachMaster calls `fn` for each primary at the same time and returns the first error.
func (c *ClusterClient) ForEachMaster(ctx context.Context, fn func(context.Context,
	*Client) error) error {
	return c.forEach(ctx, "primary", fn)
}

// ForEachSlave calls `fn` for each replica at the same time and returns the first error.
func (c *ClusterClient) ForEachSlave(ctx context.Context, fn func(context.Context,
	*Client) error) error {
	return c.forEach(ctx, "replica", fn)
}

// ForEachShard calls `fn` for each known node at the same time and returns the first error.
func (c *ClusterClient) ForEachShard(ctx context.Context, fn func(context.Context,
	*Client) error) error {
	return c.forEach(ctx, "", fn)
}

func (c *ClusterClient) forEach(ctx context.Context, role string, fn func(context.Context,
	*Client) error) error {
	nodes, err := c.known(ctx, role)
	if err != nil {
		return err
	}
	errs := make(chan error, len(nodes))
	for _, node := range nodes {
		go func() { errs <- fn(ctx, c.nodeClient(node.addr)) }()
	}
	var first error
	for range nodes {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// knownNode is a node of the cluster map.
type knownNode struct{ addr, role, slots string }

// owns says whether a slot is among "0-5460,6000".
func (n *knownNode) owns(slot int) bool {
	for _, part := range strings.Split(n.slots, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, failed := strconv.Atoi(last)
		if err == nil && failed == nil && from <= slot && slot <= to {
			return true
		}
	}
	return false
}

// known lists the nodes of a role, or all when it is empty. The map is known after one command.
func (c *ClusterClient) known(ctx context.Context, role string) ([]knownNode, error) {
	// PING would ask all primaries, and fail with one of them.
	if err := c.engine.process(ctx, place{}, NewStringCmd(ctx, "echo", "")); err != nil {
		return nil, err
	}
	text, failure := c.engine.core.Load().Nodes()
	if failure != nil {
		return nil, callError(ctx, failure, false)
	}
	var nodes []knownNode
	for _, line := range strings.Split(text, "\n") {
		words := append(strings.Fields(line), "")
		if len(words) >= 3 && (role == "" || words[1] == role) {
			nodes = append(nodes, knownNode{words[0], words[1], words[2]})
		}
	}
	return nodes, nil
}

// nodeClient is a view of the cluster's client that sends everything to one node. Each node has
// one.
func (c *ClusterClient) nodeClient(addr string) *Client {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if node := c.nodes[addr]; node != nil {
		return node
	}
	node := newClient(c.engine, &Options{Addr: addr}, place{node: addr}, nil)
	for _, fn := range c.onNewNode {
		fn(node)
	}
	c.nodes[addr] = node
	return node
}

// OnNewNode registers what is called with the client of each node when it is made, which is when
// ForEachMaster, MasterForKey or their like first hand it out.
func (c *ClusterClient) OnNewNode(fn func(*Client)) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.onNewNode = append(c.onNewNode, fn)
}

// MasterForKey is a client of the primary that has a key.
func (c *ClusterClient) MasterForKey(ctx context.Context, key string) (*Client, error) {
	return c.ownerOf(ctx, key, "primary")
}

// SlaveForKey is a client of a replica that has a key, or of its primary when there is none.
func (c *ClusterClient) SlaveForKey(ctx context.Context, key string) (*Client, error) {
	if node, err := c.ownerOf(ctx, key, "replica"); err == nil {
		return node, nil
	}
	return c.MasterForKey(ctx, key)
}

func (c *ClusterClient) ownerOf(ctx context.Context, key, role string) (*Client, error) {
	nodes, err := c.known(ctx, role)
	if err != nil {
		return nil, err
	}
	slot := int(core.KeySlot(key))
	var owners []string
	for i := range nodes {
		if nodes[i].owns(slot) {
			owners = append(owners, nodes[i].addr)
		}
	}
	if len(owners) == 0 {
		return nil, fmt.Errorf("redis: no %s of the cluster is known to have slot %d", role, slot)
	}
	return c.nodeClient(owners[rand.IntN(len(owners))]), nil
}
