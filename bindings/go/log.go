package redis

import (
	"context"
	"fmt"
	"log"
	"os"
	"sync/atomic"
)

// Logging is what SetLogger takes; log.Logger needs only a context more.
type Logging interface {
	Printf(ctx context.Context, format string, v ...interface{})
}

type standardLog struct{ *log.Logger }

func (l standardLog) Printf(_ context.Context, format string, v ...interface{}) {
	_ = l.Output(2, fmt.Sprintf(format, v...))
}

var logger atomic.Pointer[Logging]

func init() {
	SetLogger(standardLog{log.New(os.Stderr, "redis: ", log.LstdFlags|log.Lshortfile)})
}

// SetLogger sets where the few lines go that the binding writes: what it was asked for and cannot
// do at once. The default is standard error.
func SetLogger(l Logging) { logger.Store(&l) }

func logf(format string, v ...interface{}) {
	(*logger.Load()).Printf(context.Background(), format, v...)
}
