package core

/*
#include "bridge.h"
*/
import "C"

import "time"

// Failure is a tendon_error copied into Go memory: why there is no reply.
type Failure struct {
	Status   int32
	Class    uint32
	Executed uint32
	Attempts uint32
	Elapsed  time.Duration
	Message  string
	Prefix   string
	Node     string
}

// Statuses the binding treats apart from the others.
const (
	StatusClosed        = C.TENDON_ERROR_CLOSED
	StatusState         = C.TENDON_ERROR_STATE
	StatusUnsupported   = C.TENDON_ERROR_UNSUPPORTED
	StatusLimit         = C.TENDON_ERROR_LIMIT
	StatusConfig        = C.TENDON_ERROR_CONFIG
	StatusConnect       = C.TENDON_ERROR_CONNECT
	StatusDialTimeout   = C.TENDON_ERROR_CONNECT_TIMEOUT
	StatusAuth          = C.TENDON_ERROR_AUTH
	StatusDisconnected  = C.TENDON_ERROR_DISCONNECTED
	StatusTimeout       = C.TENDON_ERROR_TIMEOUT
	StatusCancelled     = C.TENDON_ERROR_CANCELLED
	StatusPoolExhausted = C.TENDON_ERROR_POOL_EXHAUSTED
	StatusPoolTimeout   = C.TENDON_ERROR_POOL_TIMEOUT
	StatusCrossSlot     = C.TENDON_ERROR_CROSSSLOT
)

// Classes the binding asks for.
const (
	ClassConnect = C.TENDON_CLASS_CONNECT
	ClassTLS     = C.TENDON_CLASS_TLS
	ClassNetwork = C.TENDON_CLASS_NETWORK
	ClassTimeout = C.TENDON_CLASS_TIMEOUT
)

// What is known about the execution of a failed command.
const (
	ExecutedNo      = C.TENDON_EXECUTED_NO
	ExecutedYes     = C.TENDON_EXECUTED_YES
	ExecutedUnknown = C.TENDON_EXECUTED_UNKNOWN
)

// StatusName is the core's name of a status, such as "TIMEOUT".
func StatusName(status int32) string {
	return C.GoString(C.tendon_status_name(C.tendon_status(status)))
}

// look copies an error that stays owned by the caller. A NULL error becomes one that holds the
// status only.
func look(status C.tendon_status, err *C.tendon_error) *Failure {
	view := C.tendon_error_view{struct_size: C.sizeof_tendon_error_view}
	if err == nil || C.tendon_error_look(err, &view) != C.TENDON_OK {
		return statusFailure(int32(status))
	}
	return &Failure{
		Status:   int32(view.status),
		Class:    uint32(view.error_class),
		Executed: uint32(view.executed),
		Attempts: uint32(view.attempts),
		Elapsed:  time.Duration(view.elapsed_us) * time.Microsecond,
		Message:  C.GoString(view.message),
		Prefix:   C.GoString(view.prefix),
		Node:     C.GoString(view.node),
	}
}

// statusFailure is for the calls that return a status only; those never sent anything.
func statusFailure(status int32) *Failure {
	return &Failure{
		Status:   status,
		Executed: ExecutedNo,
		Message:  C.GoString(C.tendon_status_text(C.tendon_status(status))),
	}
}

// take copies an error and frees it.
func take(status C.tendon_status, err *C.tendon_error) *Failure {
	failure := look(status, err)
	C.tendon_error_destroy(err)
	return failure
}
