package redis

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"tendon.dev/redis/internal/core"
)

// retirePause is how often a client with old credentials is looked at, to close it when nobody uses
// it any more.
const retirePause = time.Second

// credentials asks a program for user and password.
type credentials func(ctx context.Context) (username, password string, err error)

// provider is what an application's options ask, or nil.
func provider(plain func() (string, string), withContext credentials) credentials {
	if withContext != nil || plain == nil {
		return withContext
	}
	return func(context.Context) (string, string, error) {
		username, password := plain()
		return username, password, nil
	}
}

// login knows the credentials in use. libtendon takes them when a client is opened, so that other
// ones mean another client; the old one ends when its last caller is gone.
type login struct {
	ask     credentials
	options settings // without user and password

	mutex              sync.Mutex
	username, password string
	old                []*core.Client
	closed             bool
}

var errSameCredentials = errors.New("redis: the provider has no other credentials")

// renew asks for credentials and opens a client with them, unless somebody has done so since
// `failed` was in use.
func (e *engine) renew(ctx context.Context, failed *core.Client) error {
	l := e.login
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.closed {
		return ErrClosed
	}
	if e.core.Load() != failed {
		return nil
	}
	username, password, err := l.ask(ctx)
	if err != nil {
		return err
	}
	if failed != nil && username == l.username && password == l.password {
		return errSameCredentials
	}
	options := slices.Clone(l.options)
	options.text("username", username)
	options.text("password", password)
	if err := e.use(options); err != nil {
		return err
	}
	l.username, l.password = username, password
	if failed != nil {
		l.old = append(slices.DeleteFunc(l.old, (*core.Client).Closed), failed)
		go retire(failed)
	}
	return nil
}

// renewed asks for other credentials when commands failed for theirs, and says whether the commands
// are worth another try: none of them was executed, and there are other credentials now.
func (e *engine) renewed(ctx context.Context, at place, before *core.Client,
	cmds []Cmder) bool {
	if at.lease != nil || at.raw != nil || before == nil {
		return false
	}
	refused, executed := false, false
	for _, cmd := range cmds {
		var failure *ClientError
		isLogin := errors.As(cmd.Err(), &failure) && failure.Status == "AUTH"
		refused = refused || isLogin
		executed = executed || !isLogin || failure.executed != ExecutedNo
	}
	return refused && e.renew(ctx, before) == nil && !executed
}

func retire(client *core.Client) {
	// Who is about to use it has a moment to begin.
	for time.Sleep(retirePause); !client.Idle(); {
		time.Sleep(retirePause)
	}
	client.Close()
}

func (l *login) close(current *core.Client) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.closed {
		return ErrClosed
	}
	l.closed = true
	for _, client := range l.old {
		client.Close()
	}
	if current != nil {
		current.Close()
	}
	return nil
}
