/*
 * What comes to a queue of a subscription: messages, which nobody has asked for, and the outcomes
 * of its commands. Many are taken in one crossing.
 */
#include "helper.h"

/* Whom a collect() tells, all borrowed. */
struct listeners {
    PyObject *arrived; /* (a message, or the exception why it cannot be made) */
    PyObject *ended;   /* (tag, value or exception) */
    PyObject *noted;   /* (event, milliseconds, exception or None) */
};

static PyObject *value_of(const struct caller *self, const tendon_completion *done)
{
    bool is_error = false;
    PyObject *value = done->reply
                          ? reply_value(done->nodes, done->data, self->coder.decode, &is_error)
                          : failure_value(done->error, done->status);
    return value ? value : take_exception();
}

static PyObject *tell_end(const struct caller *self, const struct listeners *to,
                          const tendon_completion *done)
{
    PyObject *value = value_of(self, done);
    return value ? PyObject_CallFunction(to->ended, "KN", (unsigned long long)done->tag, value)
                 : NULL;
}

static PyObject *tell_message(const struct caller *self, const struct listeners *to,
                              const tendon_completion *done)
{
    PyObject *value = value_of(self, done);
    PyObject *told = value ? PyObject_CallFunctionObjArgs(to->arrived, value, NULL) : NULL;
    Py_XDECREF(value);
    return told;
}

static PyObject *tell_event(const struct listeners *to, const tendon_completion *done)
{
    PyObject *cause = Py_None;
    if (done->error)
        cause = failure_value(done->error, 0);
    else
        Py_INCREF(cause);
    return cause ? PyObject_CallFunction(to->noted, "IIN", done->event, done->delay_ms, cause)
                 : NULL;
}

/* Tells of one completion, and frees it. False with an exception set. */
static bool tell(const struct caller *self, const struct listeners *to,
                 const tendon_completion *done)
{
    PyObject *told;
    if (done->kind != TENDON_COMPLETION_EVENT)
        told = tell_end(self, to, done);
    else if (done->event == TENDON_EVENT_MESSAGE)
        told = tell_message(self, to, done);
    else
        told = tell_event(to, done);
    library.reply_destroy(done->reply);
    Py_XDECREF(told);
    return told != NULL;
}

/*
 * collect(address of a queue, milliseconds to wait, arrived, ended, noted) -> how many came, at
 * most COLLECTED_MAX. All are handed out even when a listener raises; the first exception comes
 * then.
 */
PyObject *caller_collect(PyObject *object, PyObject *const *args, Py_ssize_t count)
{
    if (count != 5)
        return type_error("collect(queue, wait_ms, arrived, ended, noted)");
    tendon_queue *queue = PyLong_AsVoidPtr(args[0]);
    long wait_ms = PyLong_AsLong(args[1]);
    if (PyErr_Occurred())
        return NULL;
    const struct listeners to = {.arrived = args[2], .ended = args[3], .noted = args[4]};
    tendon_completion done[COLLECTED_MAX];
    size_t taken;
    Py_BEGIN_ALLOW_THREADS taken =
        library.queue_poll(queue, done, sizeof *done, COLLECTED_MAX, (int32_t)wait_ms);
    Py_END_ALLOW_THREADS PyObject *raised = NULL;
    for (size_t i = 0; i < taken; i++) {
        if (tell((const struct caller *)object, &to, &done[i]))
            continue;
        PyObject *exception = take_exception();
        if (raised)
            Py_XDECREF(exception);
        else
            raised = exception;
    }
    if (raised) {
        raise_object(raised);
        return NULL;
    }
    return PyLong_FromSize_t(taken);
}
