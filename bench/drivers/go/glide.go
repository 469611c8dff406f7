// valkey-glide: one client that all goroutines share, and batches that are not atomic as pipelines.
package main

import (
	"context"
	"os"
	"time"

	glide "github.com/valkey-io/valkey-glide/go/v2"
	"github.com/valkey-io/valkey-glide/go/v2/config"
	"github.com/valkey-io/valkey-glide/go/v2/models"
	"github.com/valkey-io/valkey-glide/go/v2/pipeline"
)

// The usual 250 ms are too few for what waits on a machine at its limit; failovers keep them.
const patience = 5 * time.Second

// What its clients of a server and of a cluster have in common.
type commands interface {
	Get(ctx context.Context, key string) (models.Result[string], error)
	Set(ctx context.Context, key, value string) (string, error)
	MGet(ctx context.Context, keys []string) ([]models.Result[string], error)
	HGetAll(ctx context.Context, key string) (map[string]string, error)
	Ping(ctx context.Context) (string, error)
	Close()
}

func open(j *job) *client {
	address := &config.NodeAddress{Host: j.words["host"], Port: j.number("port")}
	if j.yes("cluster") {
		options := config.NewClusterClientConfiguration().WithAddress(address)
		if j.mode != "failover" {
			options.WithRequestTimeout(patience)
		}
		c, err := glide.NewClusterClient(options)
		if err != nil {
			die("connect", err)
		}
		made := using(c)
		made.pipeline = func(keys, values []string) ([]string, error) {
			batch := pipeline.NewClusterBatch(false)
			fill(&batch.BaseBatch, keys, values)
			return texts(c.Exec(ctx, *batch, true))
		}
		return made
	}
	return single(j, address, false)
}

func single(j *job, address *config.NodeAddress, subscribed bool) *client {
	options := config.NewClientConfiguration().WithAddress(address).WithRequestTimeout(patience)
	if j.words["ca"] != "" {
		roots, err := os.ReadFile(j.words["ca"])
		if err != nil {
			die("ca", err)
		}
		secure := config.NewTlsConfiguration().WithRootCertificates(roots)
		options.WithUseTLS(true).WithAdvancedConfiguration(
			config.NewAdvancedClientConfiguration().WithTlsConfiguration(secure))
	}
	if subscribed {
		options.WithSubscriptionConfig(config.NewStandaloneSubscriptionConfig().
			WithSubscription(config.ExactChannelMode, "bench"))
	}
	c, err := glide.NewClient(options)
	if err != nil {
		die("connect", err)
	}
	made := using(c)
	made.pipeline = func(keys, values []string) ([]string, error) {
		batch := pipeline.NewStandaloneBatch(false)
		fill(&batch.BaseBatch, keys, values)
		return texts(c.Exec(ctx, *batch, true))
	}
	// What is subscribed is one of the options; a goroutine for each message gives no order.
	made.unordered = true
	made.subscribe = func(_ string, each func(string)) error {
		return single(j, address, true).subscribe("", each)
	}
	if subscribed {
		made.subscribe = func(_ string, each func(string)) error { return receive(c, each) }
	}
	made.publish = func(channel string, messages []string) error {
		batch := pipeline.NewStandaloneBatch(false)
		for _, message := range messages {
			batch.Publish(channel, message)
		}
		_, err := c.Exec(ctx, *batch, true)
		return err
	}
	return made
}

func receive(c *glide.Client, each func(string)) error {
	queue, err := c.GetQueue()
	if err != nil {
		return err
	}
	go func() {
		for {
			each((<-queue.WaitForMessage()).Message)
		}
	}()
	return nil
}

func fill[T pipeline.StandaloneBatch | pipeline.ClusterBatch](
	batch *pipeline.BaseBatch[T], keys, values []string) {
	for i, key := range keys {
		if values != nil {
			batch.Set(key, values[i])
		} else {
			batch.Get(key)
		}
	}
}

func using(c commands) *client {
	return &client{
		version: version("github.com/valkey-io/valkey-glide/go/v2"),
		get: func(key string) (string, error) {
			reply, err := c.Get(ctx, key)
			return reply.Value(), err
		},
		set: func(key, value string) (string, error) { return c.Set(ctx, key, value) },
		mget: func(keys []string) ([]string, error) {
			replies, err := c.MGet(ctx, keys)
			out := make([]string, len(replies))
			for i, reply := range replies {
				out[i] = reply.Value()
			}
			return out, err
		},
		hash: func(key string) (map[string]string, error) { return c.HGetAll(ctx, key) },
		ping: func() (string, error) { return c.Ping(ctx) },
		close: func() error {
			c.Close()
			return nil
		},
	}
}
