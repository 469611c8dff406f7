/*
 * The cache behind openssl_anchors.h, and how a client's store looks into it. A store is not shared
 * as a whole, because each remembers what it found in directories; copying hundreds of certificates
 * into each would cost as much as reading them. So a store gets what it asks for, when it asks.
 */
#define _GNU_SOURCE /* secure_getenv */
#include "net/tls/openssl_anchors.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/x509v3.h>

#include "base/memory.h"

/* Programs use one bundle or two; tests use more, and may read those again. */
#define CACHE_MAX 8
/* A file that changes twice within a tick of the file system's clock may look as if it had not
 * changed. Some keep whole seconds, so what is younger than that is not kept. */
#define SETTLED_NS INT64_C(2000000000)

/* Everything by which a change of a file is noticed. */
struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
    struct timespec changed; /* by the system, whatever the owner says of `modified` */
};

struct tendon__anchors {
    atomic_uint references;
    int count;
    X509 *certificates[];
};

struct entry {
    char *path;
    struct stamp stamp;
    struct tendon__anchors *anchors;
    uint64_t used; /* when, counted in look-ups */
};

/* What a store's look-up holds. */
struct shelf {
    unsigned count;
    struct tendon__anchors *list[TENDON__ANCHORS_MAX];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
/* Of the three below. No call is made under it, and who takes it is inside fork's gate. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry cache[CACHE_MAX];
static uint64_t lookups;
static X509_LOOKUP_METHOD *method; /* set once */

static bool stamp_read(const char *path, struct stamp *out)
{
    struct stat found;
    if (stat(path, &found) != 0)
        return false;
    *out = (struct stamp){.device = found.st_dev,
                          .inode = found.st_ino,
                          .size = found.st_size,
                          .modified = found.st_mtim,
                          .changed = found.st_ctim};
    return true;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           same_time(&a->modified, &b->modified) && same_time(&a->changed, &b->changed);
}

/* A time in the future is never settled: such a file is read again and again, which is only slow.
 */
static bool is_settled(const struct timespec *then, const struct timespec *now)
{
    int64_t age_s = (int64_t)now->tv_sec - (int64_t)then->tv_sec;
    return age_s * 1000000000 + (now->tv_nsec - then->tv_nsec) > SETTLED_NS;
}

static struct tendon__anchors *ref(struct tendon__anchors *anchors)
{
    atomic_fetch_add(&anchors->references, 1);
    return anchors;
}

void tendon__anchors_unref(struct tendon__anchors *anchors)
{
    if (!anchors || atomic_fetch_sub(&anchors->references, 1) != 1)
        return;
    for (int i = 0; i < anchors->count; i++)
        X509_free(anchors->certificates[i]);
    tendon__memory_free(tendon__memory_system(), anchors);
}

struct tendon__anchors *tendon__anchors_store(X509_STORE *store)
{
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
    int count = sk_X509_OBJECT_num(objects);
    struct tendon__anchors *anchors = tendon__memory_make(
        tendon__memory_system(), sizeof *anchors + (size_t)count * sizeof(X509 *));
    if (!anchors)
        return NULL;
    atomic_init(&anchors->references, 1);
    for (int i = 0; i < count; i++) {
        X509 *certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        /* A file may hold revocation lists, too, which nobody asks for. */
        if (!certificate || X509_up_ref(certificate) != 1)
            continue;
        /* OpenSSL writes down what the extensions say when they are first needed. Here nobody else
         * has the certificate yet; later, several threads would come at once. */
        (void)X509_check_purpose(certificate, -1, 0);
        anchors->certificates[anchors->count++] = certificate;
    }
    return anchors;
}

/* As OpenSSL does: a program that runs with the rights of others does not listen to variables. */
const char *tendon__anchors_system_path(void)
{
    const char *named = secure_getenv(X509_get_default_cert_file_env());
    return named ? named : X509_get_default_cert_file();
}

static struct tendon__anchors *read_file(const char *path)
{
    X509_STORE *store = X509_STORE_new();
    struct tendon__anchors *anchors = NULL;
    if (store && X509_STORE_load_file(store, path) == 1)
        anchors = tendon__anchors_store(store);
    X509_STORE_free(store);
    return anchors;
}

static int find(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name,
                X509_OBJECT *out);

static void drop_shelf(X509_LOOKUP *lookup)
{
    struct shelf *shelf = X509_LOOKUP_get_method_data(lookup);
    for (unsigned i = 0; shelf && i < shelf->count; i++)
        tendon__anchors_unref(shelf->list[i]);
    tendon__memory_free(tendon__memory_system(), shelf);
}

static void prepare(void)
{
    method = X509_LOOKUP_meth_new("certificates shared by the clients of a process");
    if (method) {
        X509_LOOKUP_meth_set_get_by_subject(method, find);
        X509_LOOKUP_meth_set_free(method, drop_shelf);
    }
}

static struct tendon__anchors *cache_get(const char *path, const struct stamp *stamp)
{
    struct tendon__anchors *found = NULL;
    pthread_mutex_lock(&lock);
    lookups++;
    for (int i = 0; i < CACHE_MAX && !found; i++) {
        struct entry *entry = &cache[i];
        if (!entry->path || strcmp(entry->path, path) != 0 || !same_stamp(&entry->stamp, stamp))
            continue;
        entry->used = lookups;
        found = ref(entry->anchors);
    }
    pthread_mutex_unlock(&lock);
    return found;
}

/* In place of what was known of the same path, else of what was not used for longest. Takes over
 * `fresh.path` and a reference. */
static void cache_put(struct entry fresh)
{
    pthread_mutex_lock(&lock);
    struct entry *place = &cache[0];
    for (int i = 0; i < CACHE_MAX; i++) {
        if (cache[i].path && strcmp(cache[i].path, fresh.path) == 0) {
            place = &cache[i];
            break;
        }
        if (cache[i].used < place->used)
            place = &cache[i];
    }
    struct entry old = *place;
    fresh.used = lookups;
    *place = fresh;
    pthread_mutex_unlock(&lock);
    tendon__memory_free(tendon__memory_system(), old.path);
    tendon__anchors_unref(old.anchors);
}

/* Two threads that come at once may both read: that is right, too. */
struct tendon__anchors *tendon__anchors_file(const char *path)
{
    struct stamp before;
    struct stamp after;
    struct timespec now;
    pthread_once(&once, prepare);
    clock_gettime(CLOCK_REALTIME, &now);
    bool is_known = stamp_read(path, &before);
    struct tendon__anchors *anchors = is_known ? cache_get(path, &before) : NULL;
    if (anchors)
        return anchors;
    anchors = read_file(path);
    if (!anchors || !is_known || !stamp_read(path, &after) || !same_stamp(&before, &after) ||
        !is_settled(&before.modified, &now) || !is_settled(&before.changed, &now))
        return anchors;
    char *copy = tendon__memory_text(tendon__memory_system(), path, strlen(path));
    if (copy)
        cache_put((struct entry){.path = copy, .stamp = before, .anchors = ref(anchors)});
    return anchors;
}

/*
 * OpenSSL calls this when the store has no certificate of that subject, and afterwards looks for
 * others of the same subject in the store alone: so all of them go there. The result is borrowed
 * from the store, as with OpenSSL's own look-ups.
 */
static int find(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name, X509_OBJECT *out)
{
    const struct shelf *shelf = X509_LOOKUP_get_method_data(lookup);
    X509 *first = NULL;
    if (type != X509_LU_X509 || !shelf)
        return 0;
    for (unsigned i = 0; i < shelf->count; i++) {
        const struct tendon__anchors *anchors = shelf->list[i];
        for (int k = 0; k < anchors->count; k++) {
            X509 *certificate = anchors->certificates[k];
            if (X509_NAME_cmp(X509_get_subject_name(certificate), name) != 0)
                continue;
            if (X509_STORE_add_cert(X509_LOOKUP_get_store(lookup), certificate) != 1)
                return 0;
            if (!first)
                first = certificate;
        }
    }
    if (!first || X509_OBJECT_set1_X509(out, first) != 1)
        return 0;
    X509_free(first); /* the reference that set1 took; the store has its own */
    return 1;
}

bool tendon__anchors_serve(X509_STORE *store, struct tendon__anchors *const *list, unsigned count)
{
    pthread_once(&once, prepare);
    struct shelf *shelf = tendon__memory_make(tendon__memory_system(), sizeof *shelf);
    X509_LOOKUP *lookup = shelf && method ? X509_STORE_add_lookup(store, method) : NULL;
    if (lookup) {
        memcpy(shelf->list, list, count * sizeof(*list));
        shelf->count = count;
        X509_LOOKUP_set_method_data(lookup, shelf);
        return true;
    }
    tendon__memory_free(tendon__memory_system(), shelf);
    for (unsigned i = 0; i < count; i++)
        tendon__anchors_unref(list[i]);
    return false;
}
