/*
 * Session: one client of one event loop, which drives it. What is asked for in one tick of the loop
 * goes to the core in one tendon_submit; completions wake futures in bulk. Only the loop's thread
 * comes in here.
 */
#include "helper.h"

#include <stdlib.h>
#include <string.h>

PyTypeObject *session_type;

#define NO_SLOT UINT32_MAX

/* Session(address of a client, which it owns from now on, loop) */
static PyObject *session_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    PyObject *address = NULL, *loop = NULL;
    if (!PyArg_ParseTuple(args, "OO", &address, &loop))
        return NULL;
    tendon_client *client = PyLong_AsVoidPtr(address);
    if (!client)
        return NULL;
    tendon_queue *queue = NULL;
    struct session *self = NULL;
    PyObject *finished = PyObject_CallFunctionObjArgs(lent.finished, loop, NULL);
    if (finished && library.queue_create(&queue) == TENDON_OK)
        self = (struct session *)PyType_GenericAlloc(type, 0);
    if (!self) {
        library.queue_destroy(queue);
        Py_XDECREF(finished);
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    Py_INCREF(loop);
    self->loop = loop;
    self->finished = finished;
    self->client = client;
    self->queue = queue;
    self->free_slot = NO_SLOT;
    return (PyObject *)self;
}

/* --- slots --- */

static bool slots_grow(struct session *self)
{
    uint32_t count = self->slot_count ? self->slot_count * 2 : 64;
    struct slot *grown = realloc(self->slots, count * sizeof *grown);
    if (!grown) {
        PyErr_NoMemory();
        return false;
    }
    for (uint32_t i = count; i-- > self->slot_count; self->free_slot = i)
        grown[i] = (struct slot){.next_free = self->free_slot};
    self->slots = grown;
    self->slot_count = count;
    return true;
}

static bool slot_take(struct session *self, struct call *call)
{
    if (self->free_slot == NO_SLOT && !slots_grow(self))
        return false;
    call->slot = self->free_slot;
    self->free_slot = self->slots[call->slot].next_free;
    self->slots[call->slot].call = call;
    Py_INCREF((PyObject *)call);
    return true;
}

/* Frees the slot of a call; its reference to the call is the caller's now. */
static void slot_give(struct session *self, struct call *call)
{
    self->slots[call->slot] = (struct slot){.next_free = self->free_slot};
    self->free_slot = call->slot;
}

/* --- from the loop to the core --- */

static bool schedule(struct session *self)
{
    if (self->ticking)
        return true;
    PyObject *tick = PyObject_GetAttrString((PyObject *)self, "tick");
    PyObject *handle =
        tick ? PyObject_CallMethodObjArgs(self->loop, lent.call_soon, tick, NULL) : NULL;
    Py_XDECREF(tick);
    Py_XDECREF(handle);
    self->ticking = handle != NULL;
    return handle != NULL;
}

bool session_add(struct session *self, struct call *call)
{
    size_t wanted = self->request_count + call->count;
    if (!schedule(self) ||
        !grow((void **)&self->waiting, NULL, &self->waiting_capacity, self->waiting_count + 1,
              sizeof *self->waiting) ||
        !grow((void **)&self->requests, NULL, &self->request_capacity, wanted,
              sizeof *self->requests) ||
        !grow((void **)&self->ids, NULL, &self->id_capacity, wanted, sizeof *self->ids) ||
        !slot_take(self, call))
        return false;
    Py_INCREF((PyObject *)call); /* of the list */
    call->missing = call->count;
    self->request_count = wanted;
    self->waiting[self->waiting_count++] = call;
    return true;
}

/* Puts the requests of all calls that are not cancelled in one row; how many. */
static size_t gather(struct session *self, struct call **waiting, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        struct call *call = waiting[i];
        call->first = total;
        for (size_t j = 0; j < call->count && !call->dropped; j++) {
            tendon_request *request = &self->requests[total++];
            *request = call->one ? request_for(call->caller, &call->arguments) : call->requests[j];
            request->tag = (uint64_t)j << 32 | call->slot;
        }
    }
    return total;
}

static void note_sent(struct session *self, struct call *call)
{
    call->sent = true;
    memcpy(call->ids ? call->ids : &call->id, self->ids + call->first,
           call->count * sizeof *self->ids);
}

static tendon_status submit(struct session *self, size_t first, size_t count)
{
    return library.submit(self->client, self->queue, self->requests + first, sizeof *self->requests,
                          count, self->ids + first);
}

/* The core takes all or nothing; what it has no room for as a whole is offered call by call. */
static void submit_live(struct session *self, struct call **waiting, size_t count)
{
    size_t total = gather(self, waiting, count);
    tendon_status status = total ? submit(self, 0, total) : TENDON_OK;
    for (size_t i = 0; i < count; i++) {
        struct call *call = waiting[i];
        if (!call->dropped) {
            call->refused =
                status == TENDON_ERROR_QUEUE_FULL ? submit(self, call->first, call->count) : status;
            if (call->refused == TENDON_OK)
                note_sent(self, call);
        }
    }
}

/* Ends what was not sent. Python code may run and close the session, so the slots are freed before.
 */
static void end_refused(struct session *self, struct call **waiting, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!waiting[i]->sent) {
            slot_give(self, waiting[i]);
            Py_DECREF((PyObject *)waiting[i]);
        }
    for (size_t i = 0; i < count; i++) {
        struct call *call = waiting[i];
        call_forget_arguments(call);
        if (!call->sent && !call->dropped)
            call_refuse(call, call->refused);
        Py_DECREF((PyObject *)call);
    }
}

static void submit_waiting(struct session *self)
{
    /* Python code may run at the end of this, and ask for more: the list is taken away first. */
    struct call **waiting = self->waiting;
    size_t count = self->waiting_count, capacity = self->waiting_capacity;
    self->waiting = NULL;
    self->waiting_count = self->waiting_capacity = self->request_count = 0;
    submit_live(self, waiting, count);
    end_refused(self, waiting, count);
    if (self->waiting) {
        free(waiting);
    } else {
        self->waiting = waiting;
        self->waiting_capacity = capacity;
    }
}

bool session_borrow(struct session *self, struct call *call)
{
    tendon_lease_options options = {.struct_size = sizeof options};
    if (call->batch.commands != Py_None) { /* a key */
        options.key.data = PyBytes_AsString(call->batch.commands);
        options.key.size = (size_t)PyBytes_Size(call->batch.commands);
        if (!options.key.data)
            return false;
    }
    if (!schedule(self) || !slot_take(self, call))
        return false;
    call->count = call->missing = 1;
    tendon_status status = library.lease_submit(self->client, self->queue, &options, call->slot,
                                                &call->batch.lease, &call->id);
    if (status == TENDON_OK) {
        call->sent = true;
    } else {
        slot_give(self, call);
        call_refuse(call, status);
        Py_DECREF((PyObject *)call);
    }
    return true;
}

void session_cancel(struct session *self, struct call *call)
{
    if (!self->client || !call->sent)
        return;
    for (size_t i = 0; i < call->count; i++)
        (void)library.cancel(self->client, call->ids ? call->ids[i] : call->id);
    /* The completions are collected in a tick; without one they wait for the next. */
    if (!schedule(self))
        PyErr_Clear();
}

/* --- from the core to the loop --- */

static void take_completion(struct session *self, const tendon_completion *done)
{
    uint32_t slot = (uint32_t)done->tag;
    if (done->kind == TENDON_COMPLETION_EVENT || slot >= self->slot_count)
        return;
    struct call *call = self->slots[slot].call;
    if (!call)
        return;
    Py_INCREF((PyObject *)call);
    call_store(call, done->tag >> 32, done);
    bool ours = slot < self->slot_count && self->slots[slot].call == call; /* a decoder may close */
    if (ours && --call->missing == 0) {
        slot_give(self, call);
        call_wake(call); /* which may close the session, too */
        Py_DECREF((PyObject *)call);
    }
    Py_DECREF((PyObject *)call);
}

/* Hands out everything that is complete. Woken tasks may close the session, or fork. */
static void collect(struct session *self)
{
    while (self->client) {
        if (self->done_next == self->done_count) {
            self->done_next = 0;
            self->done_count =
                library.queue_poll(self->queue, self->done, sizeof *self->done, COLLECTED_MAX, 0);
            if (!self->done_count)
                break;
        }
        tendon_completion done = self->done[self->done_next++];
        take_completion(self, &done);
        library.reply_destroy(done.reply);
    }
}

/* Sends what was asked for, and collects what that completed. */
static void send_waiting(struct session *self)
{
    if (self->waiting_count)
        submit_waiting(self);
    if (self->client)
        (void)library.client_flush(self->client);
    if (self->client)
        collect(self);
}

/* None, or what a woken task raised to end the loop. */
static PyObject *finish(struct session *self)
{
    PyObject *raised = self->raised;
    if (!raised)
        Py_RETURN_NONE;
    self->raised = NULL;
    raise_object(raised);
    return NULL;
}

/*
 * Does what is due, and what woken tasks ask for next. With `direct` the loop itself has called, so
 * that tasks can be woken right here.
 */
static PyObject *work(struct session *self, bool readable, bool direct)
{
    bool ticking = readable && self->ticking, before = self->direct;
    self->ticking = true;
    self->direct = direct;
    if (self->client && readable) {
        (void)library.client_process(self->client, 0, NULL);
        collect(self);
    }
    if (self->client && (self->waiting_count || !readable))
        send_waiting(self);
    self->direct = before;
    self->ticking = ticking;
    if (self->client && self->waiting_count && !schedule(self))
        return NULL;
    return finish(self);
}

/* tick(): runs after the tasks of a turn of the loop have asked; scheduled by itself. */
static PyObject *session_tick(PyObject *object, PyObject *Py_UNUSED(unused))
{
    return work((struct session *)object, false, true);
}

/* process(): the loop calls it whenever the client's descriptor is readable. */
static PyObject *session_process(PyObject *object, PyObject *Py_UNUSED(unused))
{
    return work((struct session *)object, true, true);
}

/* turn(): everything that is due, for a caller that is a task itself. */
static PyObject *session_turn(PyObject *object, PyObject *Py_UNUSED(unused))
{
    return work((struct session *)object, true, false);
}

/* --- the end --- */

static void release(struct session *self, bool in_child)
{
    tendon_client *client = self->client;
    tendon_queue *queue = self->queue;
    self->client = NULL;
    self->queue = NULL;
    library.client_destroy(client);
    if (!in_child) /* in a forked child its lock may be held by nobody */
        library.queue_destroy(queue);
    Py_CLEAR(self->raised);
    for (uint32_t i = 0; i < self->slot_count; i++)
        if (self->slots[i].call) {
            struct call *call = self->slots[i].call;
            slot_give(self, call);
            Py_DECREF((PyObject *)call);
        }
    while (self->done_next < self->done_count) { /* in a child, or in the collector of cycles */
        library.reply_destroy(self->done[self->done_next].reply);
        library.error_destroy(self->done[self->done_next++].error);
    }
    while (self->waiting_count)
        Py_DECREF((PyObject *)self->waiting[--self->waiting_count]);
    self->request_count = 0;
    Py_CLEAR(self->loop);
    Py_CLEAR(self->finished);
}

/* close(): every call under way fails with ClientClosedError. Idempotent. */
static PyObject *session_close(PyObject *object, PyObject *Py_UNUSED(unused))
{
    struct session *self = (struct session *)object;
    if (!self->client)
        Py_RETURN_NONE;
    bool direct = self->direct;
    self->direct = false; /* whoever closes may be a task */
    library.client_close(self->client);
    submit_waiting(self);
    collect(self);
    self->direct = direct;
    release(self, false);
    Py_RETURN_NONE;
}

/* abandon(): for a forked child, which must not touch what it shares with its parent. */
static PyObject *session_abandon(PyObject *object, PyObject *Py_UNUSED(unused))
{
    struct session *self = (struct session *)object;
    if (self->client)
        release(self, true);
    Py_RETURN_NONE;
}

static int session_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct session *self = (struct session *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->loop);
    Py_VISIT(self->finished);
    Py_VISIT(self->raised);
    for (uint32_t i = 0; i < self->slot_count; i++)
        Py_VISIT((PyObject *)self->slots[i].call);
    for (size_t i = 0; i < self->waiting_count; i++)
        Py_VISIT((PyObject *)self->waiting[i]);
    return 0;
}

static int session_clear(PyObject *object)
{
    struct session *self = (struct session *)object;
    if (self->client)
        release(self, false);
    return 0;
}

static void session_dealloc(PyObject *object)
{
    struct session *self = (struct session *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    session_clear(object);
    free(self->requests);
    free(self->waiting);
    free(self->ids);
    free(self->slots);
    PyObject_GC_Del(object);
    Py_DECREF(type);
}

struct session *session_for(struct caller *caller, PyObject *core)
{
    PyObject *loop = PyObject_CallNoArgs(lent.get_running_loop);
    struct session *known = caller->session;
    if (!loop)
        return NULL;
    bool right = known && known->client && known->loop == loop;
    Py_DECREF(loop);
    if (!right) {
        PyObject *found = PyObject_CallMethodObjArgs(core, lent.session, NULL);
        if (!found)
            return NULL;
        if (Py_TYPE(found) != session_type) {
            Py_DECREF(found);
            return (struct session *)type_error("session() must return a Session");
        }
        known = (struct session *)found;
        struct session *old = caller->session;
        caller->session = known;
        Py_XDECREF((PyObject *)old);
    }
    Py_INCREF((PyObject *)known);
    return known;
}

static PyMethodDef session_methods[] = {
    {"tick", session_tick, METH_NOARGS, "Sends what was asked for; scheduled by itself."},
    {"turn", session_turn, METH_NOARGS, "Everything that is due, for a caller in a task."},
    {"process", session_process, METH_NOARGS, "To be called when the descriptor is readable."},
    {"close", session_close, METH_NOARGS, "Ends every call under way; idempotent."},
    {"abandon", session_abandon, METH_NOARGS, "Lets go of everything, in a forked child."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef session_members[] = {
    {"address", T_ULONG, offsetof(struct session, client), READONLY, "0 once it is closed."},
    {"loop", T_OBJECT, offsetof(struct session, loop), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

bool session_ready(void)
{
    PyType_Slot slots[] = {
        {Py_tp_new, (void *)session_new},
        {Py_tp_dealloc, (void *)session_dealloc},
        {Py_tp_traverse, (void *)session_traverse},
        {Py_tp_clear, (void *)session_clear},
        {Py_tp_methods, session_methods},
        {Py_tp_members, session_members},
        {0, NULL},
    };
    session_type = make_type("tendon._helper.Session", sizeof(struct session), slots);
    return session_type != NULL;
}
