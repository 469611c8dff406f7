/*
 * Call: what `await client.get(...)` awaits. It behaves as a coroutine does: nothing happens before
 * it is awaited or made a task, and cancelling the task ends the command. To the task that waits it
 * is the future as well, by the protocol that asyncio has for futures of others; so a task is woken
 * without a Future, a Handle and a turn of the loop. An outcome that nobody wants is dropped in
 * silence.
 */
#include "helper.h"

#include <stdlib.h>

static PyTypeObject *call_type;

/* `one` is the only command, or the key of a lease; NULL for several commands. */
static struct call *call_make(PyObject *caller, PyObject *core, PyObject *one)
{
    struct call *self = (struct call *)PyType_GenericAlloc(call_type, 0);
    if (!self)
        return NULL;
    Py_INCREF(caller);
    Py_INCREF(core);
    self->caller = (struct caller *)caller;
    self->core = core;
    Py_XINCREF(one);
    self->batch.commands = one;
    self->one = one != NULL;
    arguments_init(&self->arguments);
    return self;
}

/* request(core, callbacks or None, command) */
PyObject *caller_request(PyObject *caller, PyObject *const *args, Py_ssize_t count)
{
    if (count != 3 || !PyTuple_Check(args[2]) || PyTuple_Size(args[2]) < 1)
        return type_error("request(core, callbacks, command)");
    struct call *self = call_make(caller, args[0], args[2]);
    if (!self)
        return NULL;
    Py_INCREF(args[1]);
    self->callbacks = args[1];
    return (PyObject *)self;
}

/* requests(core, commands, nodes or None, atomic, address of a lease or 0, flags) -> a list */
PyObject *caller_requests(PyObject *caller, PyObject *const *args, Py_ssize_t count)
{
    struct batch batch;
    if (count != 6)
        return type_error("requests(core, commands, nodes, atomic, lease, flags)");
    if (!batch_read(&batch, args + 1))
        return NULL;
    struct call *self = call_make(caller, args[0], NULL);
    if (!self) {
        Py_DECREF(batch.commands);
        return NULL;
    }
    self->batch = batch;
    Py_XINCREF(batch.nodes);
    self->nodes = batch.nodes;
    return (PyObject *)self;
}

/* lease(core, key or None) -> the address of a tendon_lease, which the caller must close */
PyObject *caller_lease(PyObject *caller, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2)
        return type_error("lease(core, key)");
    struct call *self = call_make(caller, args[0], args[1]);
    if (self)
        self->leasing = true;
    return (PyObject *)self;
}

/* --- starting --- */

static bool start_one(struct call *self, struct session *session)
{
    struct name name;
    self->count = 1;
    return name_find(PyTuple_GetItem(self->batch.commands, 0), &self->arguments, &name) &&
           command_make(self->caller, &name, self->callbacks, self->batch.commands,
                        &self->arguments, &self->callback) &&
           session_add(session, self);
}

static bool start_many(struct call *self, struct session *session)
{
    self->requests = requests_make(self->caller, &self->batch, &self->arguments, &self->count);
    if (!self->requests)
        return false;
    if (!self->count) {
        PyErr_SetString(PyExc_ValueError, "no commands");
        return false;
    }
    self->value = PyList_New((Py_ssize_t)self->count);
    self->ids = calloc(self->count, sizeof *self->ids);
    if (!self->ids)
        return PyErr_NoMemory() != NULL;
    return self->value && session_add(session, self);
}

static bool call_start(struct call *self)
{
    self->session = session_for(self->caller, self->core);
    if (!self->session)
        return false;
    if (self->leasing)
        return session_borrow(self->session, self);
    return self->one ? start_one(self, self->session) : start_many(self, self->session);
}

/* --- outcomes --- */

static void replace(PyObject **place, PyObject *value)
{
    PyObject *old = *place;
    *place = value;
    Py_XDECREF(old);
}

static void put(struct call *self, size_t index, PyObject *value, bool is_error)
{
    if (!value) {
        value = take_exception();
        is_error = true;
    }
    if (!self->one) {
        PyList_SetItem(self->value, (Py_ssize_t)index, value);
        return;
    }
    replace(&self->value, value);
    self->failed = is_error;
}

void call_store(struct call *self, size_t index, const tendon_completion *done)
{
    if (self->dropped) {
        library.error_destroy(done->error);
        return;
    }
    bool is_error = done->kind != TENDON_COMPLETION_REPLY;
    PyObject *value;
    if (is_error)
        value = failure_value(done->error, done->status);
    else if (self->leasing)
        value = PyLong_FromVoidPtr(self->batch.lease);
    else
        value = reply_value(done->nodes, done->data, self->caller->coder.decode, &is_error);
    put(self, index, value, is_error);
}

void call_refuse(struct call *self, tendon_status status)
{
    PyObject *exception = failure_value(NULL, status);
    replace(&self->value, exception ? exception : take_exception());
    self->failed = true;
    call_wake(self);
}

/* Has the loop call what wakes the task in its next turn. */
static bool wake_soon(struct call *self, PyObject *wakeup, PyObject *context)
{
    PyObject *loop = self->session ? self->session->loop : NULL;
    PyObject *call_soon = loop ? PyObject_GetAttr(loop, lent.call_soon) : NULL;
    PyObject *args = PyTuple_Pack(2, wakeup, (PyObject *)self);
    PyObject *named = context ? Py_BuildValue("{s:O}", "context", context) : NULL;
    PyObject *handle =
        call_soon && args && !PyErr_Occurred() ? PyObject_Call(call_soon, args, named) : NULL;
    Py_XDECREF(named);
    Py_XDECREF(args);
    Py_XDECREF(call_soon);
    Py_XDECREF(handle);
    return handle != NULL;
}

/* Whether it is what asyncio's own task waits with, which is known by its name once and by its
 * address from then on; a callback of somebody's own gets the call. */
static bool wakes_task(PyObject *wakeup)
{
    static PyCFunction known;
    if (Py_TYPE(wakeup) != &PyCFunction_Type)
        return false;
    if (known)
        return PyCFunction_GetFunction(wakeup) == known;
    PyObject *name = PyObject_GetAttrString(wakeup, "__name__");
    if (name && !PyUnicode_CompareWithASCIIString(name, "task_wakeup"))
        known = PyCFunction_GetFunction(wakeup);
    if (!name)
        PyErr_Clear();
    Py_XDECREF(name);
    return known != NULL;
}

/*
 * Runs the task from here. What comes back is only what must end the loop. asyncio's own task asks
 * what it is woken with only for a result, of which there is none yet; a real future answers that
 * without a look-up of a method. The task may end the session, which lends that future.
 */
static void wake_now(struct session *session, struct call *self, PyObject *wakeup,
                     PyObject *context)
{
    bool native = session->finished && wakes_task(wakeup);
    PyObject *with = native ? session->finished : (PyObject *)self;
    Py_INCREF(with);
    PyObject *done = context ? PyObject_CallMethodObjArgs(context, lent.run, wakeup, with, NULL)
                             : PyObject_CallFunctionObjArgs(wakeup, with, NULL);
    Py_DECREF(with);
    Py_XDECREF(done);
    if (done)
        return;
    PyObject *raised = take_exception();
    if (session->raised)
        Py_XDECREF(raised);
    else
        session->raised = raised;
}

void call_wake(struct call *self)
{
    PyObject *wakeup = self->wakeup, *context = self->context;
    self->complete = true;
    if (!wakeup || self->cancelled)
        return;
    self->wakeup = self->context = NULL;
    if (self->session->direct)
        wake_now(self->session, self, wakeup, context);
    else if (!wake_soon(self, wakeup, context))
        PyErr_Clear(); /* the loop is closed */
    Py_DECREF(wakeup);
    Py_XDECREF(context);
}

/* --- the protocol of futures, as far as a task uses it --- */

static PyObject *call_blocking(PyObject *object, void *Py_UNUSED(unused))
{
    /* None says that this is no future, as long as it has not been yielded to a task. */
    PyObject *answer = ((struct call *)object)->yielded ? Py_True : Py_None;
    Py_INCREF(answer);
    return answer;
}

static int call_set_blocking(PyObject *object, PyObject *value, void *Py_UNUSED(unused))
{
    ((struct call *)object)->yielded = value == Py_True;
    return 0;
}

static PyObject *call_get_loop(PyObject *object, PyObject *Py_UNUSED(unused))
{
    struct call *self = (struct call *)object;
    PyObject *loop = self->session && self->session->loop ? self->session->loop : Py_None;
    Py_INCREF(loop);
    return loop;
}

/* add_done_callback(function, *, context=None) */
static PyObject *call_add_done_callback(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                        PyObject *names)
{
    struct call *self = (struct call *)object;
    if (count != 1 || (names && PyTuple_Size(names) != 1))
        return type_error("add_done_callback(function, *, context)");
    PyObject *context = names && args[1] != Py_None ? args[1] : NULL;
    if (self->complete) {
        if (!wake_soon(self, args[0], context))
            return NULL;
        Py_RETURN_NONE;
    }
    Py_INCREF(args[0]);
    Py_XINCREF(context);
    replace(&self->wakeup, args[0]);
    replace(&self->context, context);
    Py_RETURN_NONE;
}

/* cancel(msg=None): the task is woken, and throws its CancelledError into us. */
static PyObject *call_cancel(PyObject *object, PyObject *const *args, Py_ssize_t count,
                             PyObject *names)
{
    struct call *self = (struct call *)object;
    Py_ssize_t given = count + (names ? PyTuple_Size(names) : 0);
    if (self->complete || self->cancelled || !self->wakeup)
        Py_RETURN_FALSE;
    if (!wake_soon(self, self->wakeup, self->context))
        return NULL;
    self->cancelled = true;
    if (given > 0 && args[0] != Py_None) {
        Py_INCREF(args[0]);
        replace(&self->message, args[0]);
    }
    Py_RETURN_TRUE;
}

static PyObject *call_result(PyObject *object, PyObject *Py_UNUSED(unused))
{
    struct call *self = (struct call *)object;
    if (!self->cancelled)
        Py_RETURN_NONE; /* the outcome comes out of send() */
    PyErr_SetObject(lent.cancelled_error, self->message);
    return NULL;
}

static PyObject *call_is_done(PyObject *object, PyObject *Py_UNUSED(unused))
{
    struct call *self = (struct call *)object;
    return PyBool_FromLong(self->complete || self->cancelled);
}

static PyObject *call_is_cancelled(PyObject *object, PyObject *Py_UNUSED(unused))
{
    return PyBool_FromLong(((struct call *)object)->cancelled);
}

/* --- the protocol of coroutines --- */

/* A connection that was borrowed and did not reach its borrower goes back. */
static void return_lease(struct call *self)
{
    tendon_lease *lease = self->leasing ? self->batch.lease : NULL;
    self->batch.lease = NULL;
    library.lease_close(lease);
}

static PySendResult hand_over(struct call *self, PyObject **out)
{
    PyObject *value = self->value;
    self->value = NULL;
    self->state = CALL_ENDED;
    if (self->failed) {
        return_lease(self);
        raise_object(value);
        return PYGEN_ERROR;
    }
    if (self->leasing)
        self->batch.lease = NULL;
    *out = shaped(self->callback, value);
    return *out ? PYGEN_RETURN : PYGEN_ERROR;
}

static PySendResult call_send(PyObject *object, PyObject *Py_UNUSED(unused), PyObject **out)
{
    struct call *self = (struct call *)object;
    *out = NULL;
    if (self->state == CALL_ENDED) {
        PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
        return PYGEN_ERROR;
    }
    if (self->state == CALL_NEW) {
        self->state = CALL_WAITING;
        if (!call_start(self)) {
            self->state = CALL_ENDED;
            return PYGEN_ERROR;
        }
    }
    if (self->complete)
        return hand_over(self, out);
    if (self->wakeup) { /* a second task would take the first one's place, which then never wakes */
        PyErr_SetString(PyExc_RuntimeError, "coroutine is being awaited already");
        return PYGEN_ERROR;
    }
    self->yielded = true;
    Py_INCREF(object);
    *out = object;
    return PYGEN_NEXT;
}

/* Nobody will come for the outcome. */
static void abandon(struct call *self)
{
    bool under_way = self->state == CALL_WAITING;
    self->state = CALL_ENDED;
    if (!under_way)
        return;
    if (!self->complete) {
        self->dropped = true;
        session_cancel(self->session, self);
    }
    return_lease(self);
}

static PyObject *next_or_stop(PyObject *object)
{
    PyObject *out = NULL;
    if (call_send(object, Py_None, &out) != PYGEN_RETURN)
        return out;
    PyObject *stop = PyObject_CallFunctionObjArgs(PyExc_StopIteration, out, NULL);
    Py_DECREF(out);
    if (stop)
        raise_object(stop);
    return NULL;
}

static PyObject *call_send_method(PyObject *object, PyObject *value)
{
    (void)value;
    return next_or_stop(object);
}

/* throw(exception) or throw(type, value, traceback) */
static PyObject *call_throw(PyObject *object, PyObject *const *args, Py_ssize_t count)
{
    if (count < 1 || count > 3)
        return type_error("throw(type[, value[, traceback]])");
    PyObject *type = args[0], *value = count > 1 ? args[1] : Py_None;
    abandon((struct call *)object);
    if (PyExceptionInstance_Check(type))
        PyErr_SetObject((PyObject *)Py_TYPE(type), type);
    else if (PyExceptionClass_Check(type))
        PyErr_SetObject(type, value == Py_None ? NULL : value);
    else
        type_error("exceptions must be classes or instances of exceptions");
    return NULL;
}

static PyObject *call_close(PyObject *object, PyObject *Py_UNUSED(unused))
{
    abandon((struct call *)object);
    Py_RETURN_NONE;
}

static PyObject *call_self(PyObject *object)
{
    Py_INCREF(object);
    return object;
}

/* --- memory --- */

static int call_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct call *self = (struct call *)object;
    Py_VISIT(Py_TYPE(object));
#define X(name) Py_VISIT((PyObject *)self->name);
    CALL_OBJECTS(X)
#undef X
    return 0;
}

static int call_clear(PyObject *object)
{
    struct call *self = (struct call *)object;
#define X(name) Py_CLEAR(self->name);
    CALL_OBJECTS(X)
#undef X
    return 0;
}

/* The core has copied what it was sent. */
void call_forget_arguments(struct call *self)
{
    arguments_deinit(&self->arguments);
    free(self->requests);
    self->requests = NULL;
}

/* As for a coroutine: a command that was made and not awaited did not happen. */
static void warn_unawaited(struct call *self)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *name = self->one ? PyTuple_GetItem(self->batch.commands, 0) : NULL;
    PyErr_Clear();
    if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "command %R was never awaited",
                         name ? name : Py_None))
        PyErr_WriteUnraisable(Py_None);
    PyErr_Restore(type, value, traceback);
}

static void call_dealloc(PyObject *object)
{
    struct call *self = (struct call *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (self->state == CALL_NEW && self->batch.commands && !self->leasing)
        warn_unawaited(self);
    return_lease(self);
    call_clear(object);
    call_forget_arguments(self);
    free(self->ids);
    PyObject_GC_Del(object);
    Py_DECREF(type);
}

/* For repr() of the task that runs it: the name of the command. */
static PyObject *call_name(PyObject *object, void *Py_UNUSED(unused))
{
    struct call *self = (struct call *)object;
    if (self->one && !self->leasing)
        return PyObject_Str(PyTuple_GetItem(self->batch.commands, 0));
    return PyUnicode_FromString(self->leasing ? "connection" : "commands");
}

static PyGetSetDef call_properties[] = {
    {"_asyncio_future_blocking", call_blocking, call_set_blocking, NULL, NULL},
    {"__name__", call_name, NULL, NULL, NULL},
    {"__qualname__", call_name, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef call_methods[] = {
    {"send", call_send_method, METH_O, "As of a coroutine."},
    {"throw", FAST(call_throw), "As of a coroutine; ends the command."},
    {"close", call_close, METH_NOARGS, "As of a coroutine; ends the command."},
    {"get_loop", call_get_loop, METH_NOARGS, "As of a future."},
    {"add_done_callback", FAST_NAMED(call_add_done_callback), "As of a future; for one task."},
    {"cancel", FAST_NAMED(call_cancel), "As of a future."},
    {"result", call_result, METH_NOARGS, "Wakes the task with nothing, or CancelledError."},
    {"done", call_is_done, METH_NOARGS, "As of a future."},
    {"cancelled", call_is_cancelled, METH_NOARGS, "As of a future."},
    {NULL, NULL, 0, NULL},
};

bool awaitable_ready(void)
{
    PyType_Slot slots[] = {
        {Py_am_await, (void *)call_self},      {Py_am_send, (void *)call_send},
        {Py_tp_iter, (void *)call_self},       {Py_tp_iternext, (void *)next_or_stop},
        {Py_tp_dealloc, (void *)call_dealloc}, {Py_tp_traverse, (void *)call_traverse},
        {Py_tp_clear, (void *)call_clear},     {Py_tp_methods, call_methods},
        {Py_tp_getset, call_properties},       {0, NULL},
    };
    call_type = make_type("tendon._helper.Call", sizeof(struct call), slots);
    return call_type != NULL;
}
