package main

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"time"

	redis "tendon.dev/redis"
)

// subscription is a PubSub, what it has asked for, and the messages that came while it waited for a
// confirmation.
type subscription struct {
	pubsub   *redis.PubSub
	names    map[string]map[string]bool // prefix of the kind -> names
	messages []any
}

// The kinds of the protocol as prefixes of commands.
var prefixes = map[string]string{"channel": "", "pattern": "p", "sharded": "s"}

func newSubscription(client redis.UniversalClient) *subscription {
	names := map[string]map[string]bool{"": {}, "p": {}, "s": {}}
	return &subscription{pubsub: client.Subscribe(ctx), names: names}
}

// subscribe returns when the server has confirmed each name.
func (s *subscription) subscribe(prefix string, names []string) error {
	ask := map[string]func(context.Context, ...string) error{
		"": s.pubsub.Subscribe, "p": s.pubsub.PSubscribe, "s": s.pubsub.SSubscribe}
	if err := ask[prefix](ctx, names...); err != nil {
		return err
	}
	for _, name := range names {
		s.names[prefix][name] = true
	}
	return s.confirmed(prefix+"subscribe", names)
}

// unsubscribe does, too; without names it means all of the kind.
func (s *subscription) unsubscribe(prefix string, names []string) error {
	if len(names) == 0 {
		names = slices.Collect(maps.Keys(s.names[prefix]))
	}
	if len(names) == 0 {
		return nil
	}
	ask := map[string]func(context.Context, ...string) error{
		"": s.pubsub.Unsubscribe, "p": s.pubsub.PUnsubscribe, "s": s.pubsub.SUnsubscribe}
	if err := ask[prefix](ctx, names...); err != nil {
		return err
	}
	if err := s.confirmed(prefix+"unsubscribe", names); err != nil {
		return err
	}
	for _, name := range names {
		delete(s.names[prefix], name)
	}
	return nil
}

func (s *subscription) confirmed(kind string, names []string) error {
	missing := map[string]bool{}
	for _, name := range names {
		missing[name] = true
	}
	end := time.Now().Add(patience)
	for len(missing) > 0 {
		received, err := s.receive(end)
		if err != nil {
			return err
		}
		switch received := received.(type) {
		case nil:
			giveUp("%s of %q was not confirmed within %v", kind, missing, patience)
		case *redis.Subscription:
			if received.Kind == kind {
				delete(missing, received.Channel)
			}
		case *redis.Message:
			s.messages = append(s.messages, s.asValue(received))
		}
	}
	return nil
}

// poll gives the next message, nil when none has come in time.
func (s *subscription) poll(wait time.Duration) (any, error) {
	end := time.Now().Add(wait)
	for len(s.messages) == 0 {
		received, err := s.receive(end)
		if received == nil || err != nil {
			return nil, err
		}
		if message, ok := received.(*redis.Message); ok {
			s.messages = append(s.messages, s.asValue(message))
		}
	}
	message := s.messages[0]
	s.messages = s.messages[1:]
	return message, nil
}

// receive gives nil when nothing has come in time. A timeout of 0 would be none.
func (s *subscription) receive(end time.Time) (any, error) {
	received, err := s.pubsub.ReceiveTimeout(ctx, max(time.Until(end), time.Millisecond))
	var failure net.Error
	if errors.As(err, &failure) && failure.Timeout() && !time.Now().Before(end) {
		return nil, nil
	}
	return received, err
}

// asValue tells sharded channels by what was subscribed: a Message does not.
func (s *subscription) asValue(message *redis.Message) any {
	var kind, pattern any = "message", nil
	if message.Pattern != "" {
		kind, pattern = "pmessage", message.Pattern
	} else if s.names["s"][message.Channel] {
		kind = "smessage"
	}
	return []any{kind, pattern, message.Channel, message.Payload}
}
