/* Finds libtendon's functions, keeps what Python lends, and hands out the helper's types. */
#include "helper.h"

#include <dlfcn.h>

#define EXPORTED __attribute__((visibility("default")))

struct library library;
struct lent lent;

/* Numbers of this interface; tendon/_helper.py refuses a helper that was built for another. */
#define HELPER_VERSION 4

EXPORTED int tendon_python_version(void);
EXPORTED PyObject *tendon_python_start(void *handle, PyObject *given);
EXPORTED void tendon_python_lend(PyObject *get_running_loop, PyObject *cancelled_error,
                                 PyObject *finished);

int tendon_python_version(void)
{
    return HELPER_VERSION;
}

static bool is_there(const void *found, const char *problem, const char *name)
{
    if (!found)
        PyErr_Format(PyExc_ImportError, problem, name);
    return found != NULL;
}

static bool find_functions(void *handle)
{
    static const char problem[] = "libtendon lacks %s; it is older than this package";
    /* ISO C has no conversion from an object pointer to a function pointer; POSIX does. */
#define X(name)                                                                                    \
    if (!is_there(*(void **)&library.name = dlsym(handle, "tendon_" #name), problem,               \
                  "tendon_" #name))                                                                \
        return false;
    LIBRARY_FUNCTIONS(X)
#undef X
    return true;
}

static bool borrow_objects(PyObject *given)
{
    static const char problem[] = "the native helper was not given %s";
#define X(name)                                                                                    \
    if (!is_there(lent.name = PyDict_GetItemString(given, #name), problem, #name))                 \
        return false;                                                                              \
    Py_INCREF(lent.name);
    LENT_OBJECTS(X)
#undef X
    return true;
}

PyTypeObject *make_type(const char *name, size_t size, PyType_Slot *slots)
{
    PyType_Spec spec = {.name = name,
                        .basicsize = (int)size,
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromSpec(&spec);
}

static bool make_names(void)
{
    lent.call_soon = PyUnicode_InternFromString("call_soon");
    lent.run = PyUnicode_InternFromString("run");
    lent.session = PyUnicode_InternFromString("session");
    return lent.call_soon && lent.run && lent.session;
}

/*
 * Called once, by ctypes: `handle` is the loaded libtendon, `given` a dict with LENT_OBJECTS. The
 * types, or NULL with an exception set.
 */
PyObject *tendon_python_start(void *handle, PyObject *given)
{
    if (!find_functions(handle) || !borrow_objects(given) || !make_names())
        return NULL;
    if (!caller_ready() || !session_ready() || !awaitable_ready())
        return NULL;
    return Py_BuildValue("{s:O,s:O}", "Caller", caller_type, "Session", session_type);
}

/* Called when tendon.asyncio is imported. */
void tendon_python_lend(PyObject *get_running_loop, PyObject *cancelled_error, PyObject *finished)
{
    Py_INCREF(get_running_loop);
    Py_INCREF(cancelled_error);
    Py_INCREF(finished);
    lent.get_running_loop = get_running_loop;
    lent.cancelled_error = cancelled_error;
    lent.finished = finished;
}
