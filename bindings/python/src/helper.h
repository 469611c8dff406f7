/*
 * The native helper of the Python binding: what is called once per command, written in C.
 *
 * Python loads it with ctypes.PyDLL and gets builtins and types from tendon_python_start(). It
 * needs the stable ABI of CPython 3.10 and libtendon's public headers, and is linked with neither:
 * the functions of libtendon come from the library that Python has loaded already. Everything here
 * runs under the GIL unless a function says otherwise. It must not know commands, shapes of
 * replies, retries or routes; tendon/_core.py and tendon/asyncio do the same without it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TENDON_PYTHON_HELPER_H
#define TENDON_PYTHON_HELPER_H

#define Py_LIMITED_API 0x030a0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <structmember.h>

#include <tendon/tendon.h>

/* --- library.c: libtendon's functions, and what Python lends to C --- */

#define LIBRARY_FUNCTIONS(X)                                                                       \
    X(call)                                                                                        \
    X(call_batch)                                                                                  \
    X(submit)                                                                                      \
    X(cancel)                                                                                      \
    X(client_process)                                                                              \
    X(client_flush)                                                                                \
    X(client_close)                                                                                \
    X(client_destroy)                                                                              \
    X(queue_create)                                                                                \
    X(queue_destroy)                                                                               \
    X(queue_poll)                                                                                  \
    X(reply_look)                                                                                  \
    X(reply_destroy)                                                                               \
    X(error_destroy)                                                                               \
    X(lease_submit)                                                                                \
    X(lease_close)

struct library {
#define X(name) __typeof__(&tendon_##name) name;
    LIBRARY_FUNCTIONS(X)
#undef X
};

/* Objects of the Python side that C calls, by the name of their keyword in tendon/_helper.py. */
#define LENT_OBJECTS(X)                                                                            \
    X(names)        /* dict: name as given -> (words, capitals, blocking) */                       \
    X(command_name) /* the same for a name that is not in it yet */                                \
    X(utf8)         /* the decoder that stands for strict UTF-8 */                                 \
    X(failure)      /* (address of a tendon_error or 0, status) -> exception; frees it */          \
    X(server_error) /* bytes of an error reply -> exception */                                     \
    X(hashable)     /* a list or dict that is to be a key of a dict -> tuple */                    \
    X(big_number)   /* bytes of decimal digits -> int */                                           \
    X(unknown_node) /* number of a node's type -> exception */                                     \
    X(is_ok)        /* callbacks that are not called for the usual OK, see shaped() */             \
    X(set)

struct lent {
#define X(name) PyObject *name;
    LENT_OBJECTS(X)
#undef X
    PyObject *get_running_loop, *cancelled_error; /* asyncio's, once that is used */
    PyObject *finished;                           /* loop -> a future of it that is done */
    PyObject *call_soon, *run, *session;          /* names */
};

extern struct library library;
extern struct lent lent;

PyTypeObject *make_type(const char *name, size_t size, PyType_Slot *slots);

/* --- encode.c: arguments --- */

#define ARGUMENTS_ROOM 8 /* a command of up to so many arguments needs no memory of its own */

/* Arguments of one or more commands: pointers into Python objects, which `kept` keeps alive. */
struct arguments {
    tendon_bytes *items;
    size_t count, capacity;
    PyObject **kept;
    size_t kept_count, kept_capacity;
    tendon_bytes room[ARGUMENTS_ROOM];
    PyObject *kept_room[ARGUMENTS_ROOM];
};

void arguments_init(struct arguments *arguments);
/* Lets go of everything; they may be used again. */
void arguments_deinit(struct arguments *arguments);
/*
 * Makes `*items` hold `wanted` elements of `size` bytes. `room`, if any, is where they are as long
 * as that is enough. False with an exception set.
 */
bool grow(void **items, void *room, size_t *capacity, size_t wanted, size_t size);

/* How one client writes and reads text; the part of a Caller that encoding and decoding need. */
struct coder {
    PyObject *encode; /* any value -> bytes, or DataError */
    bool plain;       /* text is strict UTF-8 */
    PyObject *decode; /* NULL leaves bytes */
};

/* What a command's first argument stands for; borrowed from the dict of names or from `kept`. */
struct name {
    PyObject *words, *capitals;
    bool blocking;
};

/* Finds `given` in the names. False with an exception set. */
bool name_find(PyObject *given, struct arguments *arguments, struct name *out_name);

/* Appends a command: a tuple as the user wrote it, or a list of bytes as it is. False with an
 * exception set. */
bool encode_command(const struct coder *coder, PyObject *command, struct arguments *arguments,
                    size_t *out_count);
/* The same for a tuple whose name is known. */
bool encode_named(const struct coder *coder, const struct name *name, PyObject *command,
                  struct arguments *arguments);

/* --- decode.c: replies --- */

/* The value of a reply. With `*out_is_error` it is the server's error as an exception object. NULL
 * with an exception set when it cannot be made (text that is not UTF-8, memory). */
PyObject *reply_value(const tendon_node *nodes, const uint8_t *data, PyObject *decode,
                      bool *out_is_error);
/* The exception for a failure, which is freed; NULL with another exception set. */
PyObject *failure_value(tendon_error *error, tendon_status status);
/* The exception that is set, as an object, and no longer set. */
PyObject *take_exception(void);
/* Raises an exception object, whose reference is taken over. */
void raise_object(PyObject *exception);

/* --- caller.c: what the calls of one client share --- */

struct caller {
    PyObject_HEAD struct coder coder;
    int64_t timeout_ms;
    PyObject *handle; /* owns the client of blocking calls; NULL while not attached */
    tendon_client *client;
    tendon_lease *lease;     /* on which blocking calls go, or NULL */
    struct session *session; /* of asyncio, the one last used; NULL at first */
};

/* Several commands that travel together. */
struct batch {
    PyObject *commands; /* a tuple; owned */
    PyObject *nodes;    /* a sequence of bytes, one per command, or NULL; borrowed */
    tendon_lease *lease;
    uint32_t flags;
    bool atomic;
};

extern PyTypeObject *caller_type;
bool caller_ready(void);

/* METH_FASTCALL functions have another type than PyMethodDef says, in CPython's own code too. */
#define FAST(function) ((PyCFunction)(void (*)(void))(function)), METH_FASTCALL
#define FAST_NAMED(function)                                                                       \
    ((PyCFunction)(void (*)(void))(function)), METH_FASTCALL | METH_KEYWORDS

/* Reads (commands, nodes or None, atomic, address of a lease or 0, flags). */
bool batch_read(struct batch *batch, PyObject *const *args);
/* One request per command, to be freed; they point into `arguments`. NULL with an exception set. */
tendon_request *requests_make(const struct caller *caller, const struct batch *batch,
                              struct arguments *arguments, size_t *out_count);
/* Encodes a command whose name has been found, and finds its callback or NULL, a new reference.
 * False with an exception set. */
bool command_make(const struct caller *caller, const struct name *name, PyObject *callbacks,
                  PyObject *command, struct arguments *arguments, PyObject **out_callback);
tendon_request request_for(const struct caller *caller, const struct arguments *arguments);
/* Sets a TypeError; NULL. */
PyObject *type_error(const char *text);
/* What a callback (or NULL) without options makes of a value, whose reference is taken over. */
PyObject *shaped(PyObject *callback, PyObject *value);

/* --- arrivals.c: what comes to the queue of a subscription --- */

#define COLLECTED_MAX 64 /* completions taken from a queue at once */

PyObject *caller_collect(PyObject *caller, PyObject *const *args, Py_ssize_t count);

/* --- session.c: one client of one event loop --- */

struct slot {
    struct call *call; /* owned; NULL when the slot is free */
    uint32_t next_free;
};

struct session {
    PyObject_HEAD tendon_client *client; /* belongs to `owner`; NULL once closed */
    tendon_queue *queue;
    PyObject *loop;
    PyObject *finished;    /* a future that is done, see awaitable.c */
    struct call **waiting; /* asked for since the last tick; owned, and each has a slot */
    size_t waiting_count, waiting_capacity;
    /* Room for all their requests in one row, and for what the core calls each. */
    tendon_request *requests;
    uint64_t *ids;
    size_t request_count, request_capacity, id_capacity;
    /* What is not answered yet, by the low half of the tag. */
    struct slot *slots;
    uint32_t slot_count, free_slot;
    bool ticking;     /* a tick is scheduled, or what is asked for is sent soon in another way */
    bool direct;      /* the loop itself is below us, so tasks may run from here */
    PyObject *raised; /* what must end the loop: KeyboardInterrupt, SystemExit */
    /* Taken from the queue and not handed out yet: a woken task may come in here again. */
    tendon_completion done[COLLECTED_MAX];
    size_t done_count, done_next;
};

extern PyTypeObject *session_type;
bool session_ready(void);

/* The session of `core` for the running loop, a new reference; NULL with an exception set. */
struct session *session_for(struct caller *caller, PyObject *core);
/* Takes a call whose requests are made; they are sent in the next tick. */
bool session_add(struct session *session, struct call *call);
/* Borrows a connection for `call`, at once. */
bool session_borrow(struct session *session, struct call *call);
/* Ends the requests of a call that nobody waits for any more. */
void session_cancel(struct session *session, struct call *call);

/* --- awaitable.c: what `await client.get(...)` awaits --- */

enum call_state {
    CALL_NEW = 0,     /* nothing has been asked for */
    CALL_WAITING = 1, /* from the first send() until the awaiting task has its result */
    CALL_ENDED = 2
};

struct call {
    PyObject_HEAD enum call_state state;
    bool one;      /* a single command; else the value is a list */
    bool leasing;  /* borrows a connection */
    bool sent;     /* its requests went to the core */
    bool complete; /* every outcome is here */
    bool dropped;  /* nobody waits for it */
    bool failed;   /* `value` is an exception to raise */
    bool yielded;  /* to a task, which has not taken notice yet */
    bool cancelled;
    struct caller *caller;
    PyObject *core;      /* kept alive while the call is under way */
    struct batch batch;  /* with `one`, commands is the only command */
    PyObject *nodes;     /* owns batch.nodes */
    PyObject *callbacks; /* or NULL */
    PyObject *callback;  /* or NULL */
    struct session *session;
    PyObject *wakeup, *context; /* how the waiting task is woken */
    PyObject *message;          /* of cancel() */
    PyObject *value;
    struct arguments arguments; /* until it is sent; the requests point into them */
    tendon_request *requests;   /* NULL with `one` */
    uint64_t id, *ids;          /* `ids` unless `one` */
    size_t first, count, missing;
    uint32_t slot;
    tendon_status refused; /* why the core did not take it */
};

/* Everything that a call refers to. */
#define CALL_OBJECTS(X)                                                                            \
    X(caller)                                                                                      \
    X(core)                                                                                        \
    X(batch.commands)                                                                              \
    X(nodes) X(callbacks) X(callback) X(session) X(wakeup) X(context) X(message) X(value)

bool awaitable_ready(void);
PyObject *caller_request(PyObject *caller, PyObject *const *args, Py_ssize_t count);
PyObject *caller_requests(PyObject *caller, PyObject *const *args, Py_ssize_t count);
PyObject *caller_lease(PyObject *caller, PyObject *const *args, Py_ssize_t count);
void call_forget_arguments(struct call *call);
/* Stores one outcome. */
void call_store(struct call *call, size_t index, const tendon_completion *done);
/* Ends a call that was refused as a whole. */
void call_refuse(struct call *call, tendon_status status);
/* Everything is stored: wakes the task that waits, at once if its session allows that. */
void call_wake(struct call *call);

#endif
