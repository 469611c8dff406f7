/* The tape of a reply to Python objects, in one walk. */
#include "helper.h"

struct walk {
    const tendon_node *node, *end;
    const uint8_t *data;
    PyObject *decode;
};

static PyObject *next_value(struct walk *walk);

static PyObject *bytes_of(const struct walk *walk, const tendon_node *node)
{
    return PyBytes_FromStringAndSize((const char *)walk->data + node->value.offset,
                                     (Py_ssize_t)node->size);
}

/* What one of Python's functions makes of the bytes of a node. */
static PyObject *made_by(PyObject *function, const struct walk *walk, const tendon_node *node)
{
    PyObject *bytes = bytes_of(walk, node);
    PyObject *made = bytes ? PyObject_CallFunctionObjArgs(function, bytes, NULL) : NULL;
    Py_XDECREF(bytes);
    return made;
}

static PyObject *text_of(const struct walk *walk, const tendon_node *node)
{
    if (!walk->decode)
        return bytes_of(walk, node);
    if (walk->decode == lent.utf8)
        return PyUnicode_DecodeUTF8((const char *)walk->data + node->value.offset,
                                    (Py_ssize_t)node->size, "strict");
    return made_by(walk->decode, walk, node);
}

static PyObject *list_of(struct walk *walk, uint32_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (uint32_t i = 0; list && i < count; i++) {
        PyObject *item = next_value(walk);
        if (item)
            PyList_SetItem(list, (Py_ssize_t)i, item);
        else
            Py_CLEAR(list);
    }
    return list;
}

/* Lists and maps cannot be keys of a dict; they become tuples. */
static PyObject *as_key(PyObject *key)
{
    if (!key || (!PyList_Check(key) && !PyDict_Check(key)))
        return key;
    PyObject *made = PyObject_CallFunctionObjArgs(lent.hashable, key, NULL);
    Py_DECREF(key);
    return made;
}

static PyObject *dict_of(struct walk *walk, uint32_t pairs)
{
    PyObject *dict = PyDict_New();
    for (uint32_t i = 0; dict && i < pairs; i++) {
        PyObject *key = as_key(next_value(walk));
        PyObject *value = key ? next_value(walk) : NULL;
        if (!value || PyDict_SetItem(dict, key, value))
            Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

static PyObject *raise_unknown(uint8_t type)
{
    PyObject *exception = PyObject_CallFunction(lent.unknown_node, "i", (int)type);
    if (exception)
        raise_object(exception);
    return NULL;
}

static PyObject *next_value(struct walk *walk)
{
    const tendon_node *node = walk->node++;
    switch (node->type) {
    case TENDON_NODE_STRING:
    case TENDON_NODE_STATUS:
    case TENDON_NODE_VERBATIM:
        return text_of(walk, node);
    case TENDON_NODE_INTEGER:
        return PyLong_FromLongLong(node->value.integer);
    case TENDON_NODE_NULL:
        Py_INCREF(Py_None);
        return Py_None;
    case TENDON_NODE_ARRAY:
    case TENDON_NODE_SET:
    case TENDON_NODE_PUSH:
        return list_of(walk, node->size);
    case TENDON_NODE_MAP:
        return dict_of(walk, node->size / 2);
    case TENDON_NODE_DOUBLE:
        return PyFloat_FromDouble(node->value.number);
    case TENDON_NODE_BOOLEAN:
        return PyBool_FromLong(node->value.integer != 0);
    case TENDON_NODE_BIG_NUMBER:
        return made_by(lent.big_number, walk, node);
    case TENDON_NODE_ERROR:
        return made_by(lent.server_error, walk, node);
    default:
        return raise_unknown(node->type);
    }
}

PyObject *reply_value(const tendon_node *nodes, const uint8_t *data, PyObject *decode,
                      bool *out_is_error)
{
    struct walk walk = {.node = nodes, .data = data, .decode = decode};
    *out_is_error = nodes->type == TENDON_NODE_ERROR;
    return next_value(&walk);
}

PyObject *failure_value(tendon_error *error, tendon_status status)
{
    PyObject *address = PyLong_FromVoidPtr(error);
    if (!address) {
        library.error_destroy(error);
        return NULL;
    }
    PyObject *made = PyObject_CallFunction(lent.failure, "Oi", address, (int)status);
    Py_DECREF(address);
    return made;
}

PyObject *take_exception(void)
{
    PyObject *type = NULL, *value = NULL, *traceback = NULL;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (value && traceback)
        PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}

/* Raises `exception`, whose reference it takes over. */
void raise_object(PyObject *exception)
{
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    Py_DECREF(exception);
}
