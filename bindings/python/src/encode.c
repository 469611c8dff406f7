/* Python values to the arguments of a request, without copying what can be pointed to. */
#include "helper.h"

#include <stdlib.h>
#include <string.h>

void arguments_init(struct arguments *arguments)
{
    arguments->items = arguments->room;
    arguments->kept = arguments->kept_room;
    arguments->count = arguments->kept_count = 0;
    arguments->capacity = arguments->kept_capacity = ARGUMENTS_ROOM;
}

void arguments_deinit(struct arguments *arguments)
{
    while (arguments->kept_count)
        Py_DECREF(arguments->kept[--arguments->kept_count]);
    if (arguments->items != arguments->room)
        free(arguments->items);
    if (arguments->kept != arguments->kept_room)
        free(arguments->kept);
    arguments_init(arguments);
}

bool grow(void **items, void *room, size_t *capacity, size_t wanted, size_t size)
{
    size_t more = *capacity * 2 > wanted ? *capacity * 2 : wanted;
    if (wanted <= *capacity)
        return true;
    void *grown = realloc(*items == room ? NULL : *items, more * size);
    if (!grown) {
        PyErr_NoMemory();
        return false;
    }
    if (room && *items == room)
        memcpy(grown, room, *capacity * size);
    *items = grown;
    *capacity = more;
    return true;
}

/* Room for `more` items. */
static bool reserve(struct arguments *arguments, size_t more)
{
    return grow((void **)&arguments->items, arguments->room, &arguments->capacity,
                arguments->count + more, sizeof(tendon_bytes));
}

/* Takes over the reference to `object`, also when it fails. */
static bool keep(struct arguments *arguments, PyObject *object)
{
    if (!grow((void **)&arguments->kept, arguments->kept_room, &arguments->kept_capacity,
              arguments->kept_count + 1, sizeof(PyObject *))) {
        Py_DECREF(object);
        return false;
    }
    arguments->kept[arguments->kept_count++] = object;
    return true;
}

static void point_to_bytes(PyObject *bytes, tendon_bytes *out)
{
    out->data = PyBytes_AsString(bytes);
    out->size = (size_t)PyBytes_Size(bytes);
}

static bool point_to_text(PyObject *text, tendon_bytes *out)
{
    Py_ssize_t size = 0;
    out->data = PyUnicode_AsUTF8AndSize(text, &size);
    out->size = (size_t)size;
    return out->data != NULL;
}

/* Numbers are written by repr(), as in redis-py; everything unusual is the encoder's affair. */
static bool encode_other(const struct coder *coder, PyObject *value, struct arguments *arguments,
                         tendon_bytes *out)
{
    if (PyLong_CheckExact(value) || PyFloat_CheckExact(value)) {
        PyObject *text = PyObject_Repr(value);
        return text && keep(arguments, text) && point_to_text(text, out);
    }
    PyObject *bytes = PyObject_CallFunctionObjArgs(coder->encode, value, NULL);
    if (!bytes || !keep(arguments, bytes))
        return false;
    if (!PyBytes_Check(bytes))
        return type_error("the encoder must return bytes") != NULL;
    point_to_bytes(bytes, out);
    return true;
}

static bool encode_value(const struct coder *coder, PyObject *value, struct arguments *arguments)
{
    tendon_bytes *out = &arguments->items[arguments->count];
    if (PyBytes_CheckExact(value))
        point_to_bytes(value, out);
    else if (coder->plain && PyUnicode_CheckExact(value)) {
        if (!point_to_text(value, out))
            return false;
    } else {
        /* `out` may move while Python runs; the count is raised after it has been filled. */
        tendon_bytes found;
        if (!encode_other(coder, value, arguments, &found))
            return false;
        arguments->items[arguments->count] = found;
    }
    arguments->count++;
    return true;
}

static bool name_read(PyObject *known, struct name *out_name)
{
    out_name->words = PyTuple_GetItem(known, 0);
    out_name->capitals = PyTuple_GetItem(known, 1);
    PyObject *blocking = PyTuple_GetItem(known, 2);
    out_name->blocking = blocking == Py_True;
    return blocking && out_name->words && out_name->capitals;
}

bool name_find(PyObject *given, struct arguments *arguments, struct name *out_name)
{
    if (PyUnicode_CheckExact(given) || PyBytes_CheckExact(given)) {
        PyObject *known = PyDict_GetItemWithError(lent.names, given);
        if (known)
            return name_read(known, out_name);
        if (PyErr_Occurred())
            return false;
    }
    PyObject *made = PyObject_CallFunctionObjArgs(lent.command_name, given, NULL);
    return made && keep(arguments, made) && name_read(made, out_name);
}

bool encode_named(const struct coder *coder, const struct name *name, PyObject *command,
                  struct arguments *arguments)
{
    Py_ssize_t words = PyList_Size(name->words), count = PyTuple_Size(command);
    if (words < 0 || !reserve(arguments, (size_t)(words + count)))
        return false;
    for (Py_ssize_t i = 0; i < words; i++)
        point_to_bytes(PyList_GetItem(name->words, i), &arguments->items[arguments->count++]);
    for (Py_ssize_t i = 1; i < count; i++)
        if (!encode_value(coder, PyTuple_GetItem(command, i), arguments))
            return false;
    return true;
}

static bool encode_list(PyObject *command, struct arguments *arguments)
{
    Py_ssize_t count = PyList_Size(command);
    if (count < 0 || !reserve(arguments, (size_t)count))
        return false;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *value = PyList_GetItem(command, i);
        if (!PyBytes_Check(value))
            return type_error("an encoded command is a list of bytes") != NULL;
        Py_INCREF(value);
        if (!keep(arguments, value))
            return false;
        point_to_bytes(value, &arguments->items[arguments->count++]);
    }
    return true;
}

bool encode_command(const struct coder *coder, PyObject *command, struct arguments *arguments,
                    size_t *out_count)
{
    size_t before = arguments->count;
    bool encoded;
    struct name name;
    if (PyTuple_Check(command) && PyTuple_Size(command) > 0)
        encoded = name_find(PyTuple_GetItem(command, 0), arguments, &name) &&
                  encode_named(coder, &name, command, arguments);
    else if (PyList_Check(command))
        encoded = encode_list(command, arguments);
    else
        encoded = type_error("a command is a tuple of values or a list of bytes") != NULL;
    *out_count = arguments->count - before;
    return encoded;
}
