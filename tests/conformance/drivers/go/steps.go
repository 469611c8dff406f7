package main

import (
	"net"
	"strconv"
	"time"

	redis "tendon.dev/redis"
)

// steps has what each instruction does; o are its operands.
var steps map[string]func(t *thread, o []string)

// Some of them execute others, which a table that is initialised at once could not refer to.
func init() {
	steps = map[string]func(t *thread, o []string){
		"push": func(t *thread, o []string) { t.push(t.operand(o[0])) },
		"dup": func(t *thread, o []string) {
			top := t.take()
			t.stack = append(t.stack, top)
			t.push(top.value)
		},
		"swap": func(t *thread, o []string) {
			b, a := t.take(), t.take()
			t.stack = append(t.stack, b, a)
		},
		"pop": func(t *thread, o []string) {
			top := t.take()
			t.program.report(t.number, top.index, top.value)
		},
		"concat": func(t *thread, o []string) {
			b, a := t.take(), t.take()
			t.push(asText(a.value) + asText(b.value))
		},

		"connect":         connect,
		"close":           func(t *thread, o []string) { t.pushFailure(closeClient(t, o[0])) },
		"lease":           lease,
		"release":         release,
		"statistics":      statistics,
		"command":         request,
		"method":          requestMethod,
		"batch":           func(t *thread, o []string) { t.batches[o[0]] = []call{} },
		"batch-end":       func(t *thread, o []string) { t.push(t.sent(o[0], pipelined)) },
		"transaction":     func(t *thread, o []string) { t.batches[o[0]] = []call{} },
		"transaction-end": transactionEnd,
		"watch":           func(t *thread, o []string) { t.watch(o[0], t.words(o[1:]).texts(0)) },
		"unwatch":         unwatch,
		"cancel": func(t *thread, o []string) {
			t.push(t.cancel(o[0], milliseconds(o[1]), t.words(o[2:])))
		},

		"subscribe": func(t *thread, o []string) {
			t.pushFailure(t.subscribe(o[0], o[1], prefixes[o[2]], t.words(o[3:]).texts(0)))
		},
		"unsubscribe":     unsubscribe,
		"poll":            poll,
		"unsubscribe-all": func(t *thread, o []string) { t.pushFailure(t.unsubscribeAll(o[0])) },

		"sleep": func(t *thread, o []string) { time.Sleep(milliseconds(o[0])) },
		"start": func(t *thread, o []string) { t.program.start(must(strconv.Atoi(o[0]))) },
		"wait":  func(t *thread, o []string) { t.program.wait(must(strconv.Atoi(o[0]))) },
	}
}

func connect(t *thread, o []string) {
	options := map[string]string{}
	for i := 4; i+1 < len(o); i += 2 {
		options[o[i]] = o[i+1]
	}
	client, err := newClient(o[1], net.JoinHostPort(o[2], o[3]), options)
	if err != nil {
		t.push(err)
		return
	}
	t.program.keep(o[0], client.(commander))
}

func request(t *thread, o []string) { t.request(o[0], command(t.words(o[1:]))) }

func requestMethod(t *thread, o []string) { t.request(o[0], method(o[1], t.words(o[2:]))) }

func closeClient(t *thread, name string) error {
	client, err := t.program.client(name)
	if err != nil {
		return err
	}
	return closed(client)
}

func lease(t *thread, o []string) {
	client, err := t.program.client(o[1])
	if err != nil {
		t.push(err)
		return
	}
	lender, ok := client.(interface{ Conn() *redis.Conn })
	if !ok {
		t.push(Unsupported("a cluster lends no connection"))
		return
	}
	t.program.keep(o[0], lender.Conn())
}

func release(t *thread, o []string) {
	t.pushFailure(closeClient(t, o[0]))
	t.program.forget(o[0])
}

func statistics(t *thread, o []string) {
	client, err := t.universal(o[0])
	if err != nil {
		t.push(err)
		return
	}
	client.PoolStats()
	t.push("statistics")
}

func transactionEnd(t *thread, o []string) {
	value := t.sent(o[0], transacted)
	if value == redis.TxFailedErr {
		value = nil
	}
	t.push(value)
	t.endWatch(o[0])
}

func unwatch(t *thread, o []string) {
	if tx, ok := t.watching[o[0]].(*redis.Tx); ok {
		t.pushFailure(tx.Unwatch(ctx).Err())
	}
	t.endWatch(o[0])
}

func unsubscribe(t *thread, o []string) {
	found, err := t.program.subscription(o[0])
	if err == nil {
		err = found.unsubscribe(prefixes[o[1]], t.words(o[2:]).texts(0))
	}
	t.pushFailure(err)
}

func poll(t *thread, o []string) {
	found, err := t.program.subscription(o[0])
	if err != nil {
		t.push(err)
		return
	}
	t.push(outcome(found.poll(milliseconds(o[1]))))
}
