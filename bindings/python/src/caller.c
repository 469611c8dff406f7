/* Caller: what the calls of one client have in common, and its blocking calls. */
#include "helper.h"

#include <stdlib.h>
#include <string.h>

PyTypeObject *caller_type;

/* Caller(encode, plain, decode, timeout_ms) */
static PyObject *caller_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    PyObject *encode = NULL, *decode = NULL;
    int plain = 0;
    long long timeout_ms = 0;
    if (!PyArg_ParseTuple(args, "OpOL", &encode, &plain, &decode, &timeout_ms))
        return NULL;
    struct caller *self = (struct caller *)PyType_GenericAlloc(type, 0);
    if (!self)
        return NULL;
    Py_INCREF(encode);
    self->coder.encode = encode;
    self->coder.plain = plain != 0;
    if (decode != Py_None) {
        Py_INCREF(decode);
        self->coder.decode = decode;
    }
    self->timeout_ms = timeout_ms;
    return (PyObject *)self;
}

static int caller_clear(PyObject *object)
{
    struct caller *self = (struct caller *)object;
    Py_CLEAR(self->coder.encode);
    Py_CLEAR(self->coder.decode);
    Py_CLEAR(self->handle);
    Py_CLEAR(self->session);
    return 0;
}

static int caller_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct caller *self = (struct caller *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->coder.encode);
    Py_VISIT(self->coder.decode);
    Py_VISIT(self->handle);
    Py_VISIT((PyObject *)self->session);
    return 0;
}

static void caller_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    caller_clear(object);
    PyObject_GC_Del(object);
    Py_DECREF(type);
}

PyObject *type_error(const char *text)
{
    PyErr_SetString(PyExc_TypeError, text);
    return NULL;
}

tendon_request request_for(const struct caller *caller, const struct arguments *arguments)
{
    return (tendon_request){.struct_size = sizeof(tendon_request),
                            .timeout_ms = caller->timeout_ms,
                            .args = arguments->items,
                            .arg_count = (uint32_t)arguments->count};
}

/* The value of an outcome, which is freed; an exception object when `*out_is_error`. */
static PyObject *outcome_value(const struct coder *coder, tendon_reply *reply, tendon_error *error,
                               tendon_status status, bool *out_is_error)
{
    if (!reply) {
        *out_is_error = true;
        return failure_value(error, status);
    }
    tendon_reply_view view = {.struct_size = sizeof view};
    PyObject *value = NULL;
    if (library.reply_look(reply, &view) == TENDON_OK)
        value = reply_value(view.nodes, view.data, coder->decode, out_is_error);
    else
        PyErr_SetString(PyExc_SystemError, "libtendon handed out a reply that it cannot read");
    library.reply_destroy(reply);
    return value;
}

static bool is_ok(PyObject *value)
{
    if (PyBytes_CheckExact(value))
        return PyBytes_Size(value) == 2 && !memcmp(PyBytes_AsString(value), "OK", 2);
    return PyUnicode_CheckExact(value) && !PyUnicode_CompareWithASCIIString(value, "OK");
}

/* What most commands that write are answered needs no call into Python, which costs more than the
 * rest of decoding. */
PyObject *shaped(PyObject *callback, PyObject *value)
{
    if (!callback || !value)
        return value;
    if ((callback == lent.set || callback == lent.is_ok) && is_ok(value)) {
        Py_DECREF(value);
        Py_RETURN_TRUE;
    }
    PyObject *made = PyObject_CallFunctionObjArgs(callback, value, NULL);
    Py_DECREF(value);
    return made;
}

bool command_make(const struct caller *caller, const struct name *name, PyObject *callbacks,
                  PyObject *command, struct arguments *arguments, PyObject **out_callback)
{
    PyObject *callback =
        callbacks == Py_None ? NULL : PyDict_GetItemWithError(callbacks, name->capitals);
    if ((!callback && PyErr_Occurred()) || !encode_named(&caller->coder, name, command, arguments))
        return false;
    Py_XINCREF(callback); /* it may be replaced while the command is under way */
    *out_callback = callback;
    return true;
}

/* attach(handle, address of its client, address of a lease or 0): from now on call() may be used.
 */
static PyObject *caller_attach(PyObject *object, PyObject *const *args, Py_ssize_t count)
{
    struct caller *self = (struct caller *)object;
    if (count != 3)
        return type_error("attach(handle, address, lease)");
    PyObject *old = self->handle;
    self->client = PyLong_AsVoidPtr(args[1]);
    self->lease = PyLong_AsVoidPtr(args[2]);
    Py_INCREF(args[0]);
    self->handle = args[0];
    Py_XDECREF(old);
    Py_RETURN_NONE;
}

/* detach(): call() answers NotImplemented again. */
static PyObject *caller_detach(PyObject *object, PyObject *Py_UNUSED(unused))
{
    struct caller *self = (struct caller *)object;
    self->client = NULL;
    self->lease = NULL;
    Py_CLEAR(self->handle);
    Py_RETURN_NONE;
}

static PyObject *call_now(struct caller *self, PyObject *callback,
                          const struct arguments *arguments)
{
    tendon_request request = request_for(self, arguments);
    request.lease = self->lease;
    tendon_reply *reply = NULL;
    tendon_error *error = NULL;
    tendon_status status;
    /* While others have the GIL the client may be detached and closed; it is destroyed after us. */
    tendon_client *client = self->client;
    PyObject *handle = self->handle;
    Py_INCREF(handle);
    Py_BEGIN_ALLOW_THREADS status = library.call(client, &request, &reply, &error);
    Py_END_ALLOW_THREADS if (status != TENDON_OK && self->client == client)
        Py_XDECREF(caller_detach((PyObject *)self, NULL));
    Py_DECREF(handle);
    bool is_error = false;
    PyObject *value = outcome_value(&self->coder, reply, error, status, &is_error);
    if (value && is_error) {
        raise_object(value);
        return NULL;
    }
    return shaped(callback, value);
}

/*
 * call(callbacks, command) -> the command's result. NotImplemented, before anything was sent, while
 * no client is attached and for a command that the server may hold back: waiting for those must be
 * interruptible. A failure that is not the server's answer detaches the client.
 */
static PyObject *caller_call(PyObject *object, PyObject *const *args, Py_ssize_t count)
{
    struct caller *self = (struct caller *)object;
    if (count != 2 || !PyTuple_Check(args[1]))
        return type_error("call(callbacks, command)");
    if (!self->client || PyTuple_Size(args[1]) < 1)
        Py_RETURN_NOTIMPLEMENTED;
    struct arguments arguments;
    struct name name;
    PyObject *callback = NULL, *result = NULL;
    arguments_init(&arguments);
    if (name_find(PyTuple_GetItem(args[1], 0), &arguments, &name)) {
        if (name.blocking) {
            Py_INCREF(Py_NotImplemented);
            result = Py_NotImplemented;
        } else if (command_make(self, &name, args[0], args[1], &arguments, &callback)) {
            result = call_now(self, callback, &arguments);
        }
    }
    Py_XDECREF(callback);
    arguments_deinit(&arguments);
    return result;
}

static bool request_node(tendon_request *request, PyObject *nodes, Py_ssize_t index)
{
    PyObject *node = PySequence_GetItem(nodes, index);
    if (!node)
        return false;
    request->route = TENDON_ROUTE_NODE;
    request->node.data = PyBytes_AsString(node);
    request->node.size = (size_t)PyBytes_Size(node);
    Py_DECREF(node); /* `nodes` keeps it */
    return request->node.data != NULL;
}

static bool fill(tendon_request *requests, size_t count, const struct batch *batch,
                 const struct caller *caller, struct arguments *arguments)
{
    for (size_t i = 0; i < count; i++) {
        tendon_request *request = &requests[i];
        PyObject *command = PyTuple_GetItem(batch->commands, (Py_ssize_t)i);
        size_t position = arguments->count, length = 0;
        *request = request_for(caller, arguments);
        request->lease = batch->lease;
        request->flags = batch->flags;
        if (batch->atomic)
            request->flags |=
                TENDON_REQUEST_ATOMIC | (i + 1 < count ? 0u : TENDON_REQUEST_ATOMIC_END);
        if (!command || !encode_command(&caller->coder, command, arguments, &length) ||
            (batch->nodes && !request_node(request, batch->nodes, (Py_ssize_t)i)))
            return false;
        request->args = length ? (const tendon_bytes *)position : NULL;
        request->arg_count = (uint32_t)length;
    }
    return true;
}

tendon_request *requests_make(const struct caller *caller, const struct batch *batch,
                              struct arguments *arguments, size_t *out_count)
{
    Py_ssize_t count = PyTuple_Size(batch->commands);
    if (count < 0)
        return NULL;
    tendon_request *requests = malloc((size_t)(count + 1) * sizeof *requests);
    if (!requests) {
        PyErr_NoMemory();
        return NULL;
    }
    if (!fill(requests, (size_t)count, batch, caller, arguments)) {
        free(requests);
        return NULL;
    }
    /* The positions become pointers now that no more arguments come. */
    for (Py_ssize_t i = 0; i < count; i++)
        if (requests[i].arg_count)
            requests[i].args = arguments->items + (uintptr_t)requests[i].args;
    *out_count = (size_t)count;
    return requests;
}

static PyObject *outcomes_list(const struct caller *self, tendon_outcome *outcomes, size_t count)
{
    PyObject *values = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; i < count; i++) {
        if (!values) { /* out of memory: the rest is only freed */
            library.reply_destroy(outcomes[i].reply);
            library.error_destroy(outcomes[i].error);
            continue;
        }
        bool is_error = false;
        PyObject *value =
            outcome_value(&self->coder, outcomes[i].reply, outcomes[i].error, 0, &is_error);
        if (!value)
            value = take_exception();
        PyList_SetItem(values, (Py_ssize_t)i, value);
    }
    return values;
}

static PyObject *call_together(const struct caller *self, tendon_client *client,
                               tendon_request *requests, size_t count)
{
    tendon_outcome *outcomes = calloc(count + 1, sizeof *outcomes);
    if (!outcomes)
        return PyErr_NoMemory();
    tendon_status status;
    Py_BEGIN_ALLOW_THREADS status =
        library.call_batch(client, requests, sizeof *requests, count, outcomes);
    Py_END_ALLOW_THREADS PyObject *values = NULL;
    if (status == TENDON_OK)
        values = outcomes_list(self, outcomes, count);
    else {
        PyObject *exception = failure_value(NULL, status);
        if (exception)
            raise_object(exception);
    }
    free(outcomes);
    return values;
}

bool batch_read(struct batch *batch, PyObject *const *args)
{
    *batch = (struct batch){.nodes = args[1] == Py_None ? NULL : args[1]};
    batch->atomic = PyObject_IsTrue(args[2]) == 1;
    batch->lease = PyLong_AsVoidPtr(args[3]);
    batch->flags = (uint32_t)PyLong_AsUnsignedLong(args[4]);
    if (PyErr_Occurred())
        return false;
    batch->commands = PySequence_Tuple(args[0]);
    return batch->commands != NULL;
}

/*
 * batch(address of the client, commands, nodes or None, atomic, address of a lease or 0, flags) ->
 * the values in order, an exception in place of each failure.
 */
static PyObject *caller_batch(PyObject *object, PyObject *const *args, Py_ssize_t count)
{
    struct caller *self = (struct caller *)object;
    struct batch batch;
    if (count != 6)
        return type_error("batch(address, commands, nodes, atomic, lease, flags)");
    tendon_client *client = PyLong_AsVoidPtr(args[0]);
    if (!client || !batch_read(&batch, args + 1))
        return NULL;
    struct arguments arguments;
    arguments_init(&arguments);
    size_t number = 0;
    PyObject *values = NULL;
    tendon_request *requests = requests_make(self, &batch, &arguments, &number);
    if (requests)
        values = call_together(self, client, requests, number);
    free(requests);
    arguments_deinit(&arguments);
    Py_DECREF(batch.commands);
    return values;
}

static PyMethodDef caller_methods[] = {
    {"attach", FAST(caller_attach), "Lets call() use a client."},
    {"detach", caller_detach, METH_NOARGS, "Ends that."},
    {"call", FAST(caller_call), "Sends one command and waits."},
    {"batch", FAST(caller_batch), "Sends several commands together and waits."},
    {"collect", FAST(caller_collect), "Hands out what has come to a queue."},
    {"request", FAST(caller_request), "An awaitable that sends one command."},
    {"requests", FAST(caller_requests), "An awaitable that sends several commands together."},
    {"lease", FAST(caller_lease), "An awaitable that borrows a connection."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef caller_members[] = {
    {"client", T_ULONG, offsetof(struct caller, client), READONLY,
     "While call() may use it, or 0."},
    {NULL, 0, 0, 0, NULL},
};

bool caller_ready(void)
{
    PyType_Slot slots[] = {
        {Py_tp_new, (void *)caller_new},
        {Py_tp_dealloc, (void *)caller_dealloc},
        {Py_tp_traverse, (void *)caller_traverse},
        {Py_tp_clear, (void *)caller_clear},
        {Py_tp_methods, caller_methods},
        {Py_tp_members, caller_members},
        {0, NULL},
    };
    caller_type = make_type("tendon._helper.Caller", sizeof(struct caller), slots);
    return caller_type != NULL;
}
