/* The native methods of NativeClient.java that make and end configs, clients and leases. */
#include <jni.h>

#include <stdlib.h>
#include <string.h>

#include "jni_frame.h"
#include "jni_tape.h"

#define BUFFER(address, size)                                                                      \
    ((struct tendon_jni_buffer){(uint8_t *)(uintptr_t)(address), (size_t)(size)})

METHOD(jint, abiVersion)(JNIEnv *env, jclass class);
METHOD(jstring, version)(JNIEnv *env, jclass class);
METHOD(jlong, address)(JNIEnv *env, jclass class, jobject buffer);
METHOD(jobject, view)(JNIEnv *env, jclass class, jlong address, jlong size);
METHOD(jlong, allocate)(JNIEnv *env, jclass class, jlong size);
METHOD(void, release)(JNIEnv *env, jclass class, jlong address);
METHOD(jlong, configCreate)(JNIEnv *env, jclass class);
METHOD(jint, configSet)
(JNIEnv *env, jclass class, jlong config, jbyteArray name, jbyteArray value, jlong out,
 jint capacity);
METHOD(jint, configSetUrl)
(JNIEnv *env, jclass class, jlong config, jbyteArray url, jlong out, jint capacity);
METHOD(void, configDestroy)(JNIEnv *env, jclass class, jlong config);
METHOD(jlong, clientCreate)(JNIEnv *env, jclass class, jlong config, jlong out, jint capacity);
METHOD(void, clientClose)(JNIEnv *env, jclass class, jlong client);
METHOD(void, clientDestroy)(JNIEnv *env, jclass class, jlong client);
METHOD(jint, clientStats)(JNIEnv *env, jclass class, jlong client, jlong out, jint capacity);
METHOD(jlong, leaseOpen)
(JNIEnv *env, jclass class, jlong client, jlong timeout_ms, jlong out, jint capacity);
METHOD(void, leaseEnd)(JNIEnv *env, jclass class, jlong lease, jboolean discard);

METHOD(jint, abiVersion)(JNIEnv *env, jclass class)
{
    (void)env, (void)class;
    return (jint)tendon_abi_version();
}

METHOD(jstring, version)(JNIEnv *env, jclass class)
{
    (void)class;
    return (*env)->NewStringUTF(env, tendon_version());
}

METHOD(jlong, address)(JNIEnv *env, jclass class, jobject buffer)
{
    (void)class;
    return (jlong)(uintptr_t)(*env)->GetDirectBufferAddress(env, buffer);
}

METHOD(jobject, view)(JNIEnv *env, jclass class, jlong address, jlong size)
{
    (void)class;
    return (*env)->NewDirectByteBuffer(env, HANDLE(void, address), size);
}

METHOD(jlong, allocate)(JNIEnv *env, jclass class, jlong size)
{
    (void)env, (void)class;
    return (jlong)(uintptr_t)malloc((size_t)size);
}

METHOD(void, release)(JNIEnv *env, jclass class, jlong address)
{
    (void)env, (void)class;
    free(HANDLE(void, address));
}

METHOD(jlong, configCreate)(JNIEnv *env, jclass class)
{
    (void)env, (void)class;
    tendon_config *config = NULL;
    return tendon_config_create(&config) == TENDON_OK ? (jlong)(uintptr_t)config : 0;
}

/* A NUL-terminated copy of a byte array, to free; secrets in it are overwritten by forget(). NULL:
 * no memory. */
static char *copy_of(JNIEnv *env, jbyteArray array, size_t *out_size)
{
    jsize size = (*env)->GetArrayLength(env, array);
    char *copy = malloc((size_t)size + 1);
    if (!copy)
        return NULL;
    (*env)->GetByteArrayRegion(env, array, 0, size, (jbyte *)copy);
    copy[size] = '\0';
    *out_size = (size_t)size;
    return copy;
}

static void forget(char *copy, size_t size)
{
    if (copy)
        explicit_bzero(copy, size);
    free(copy);
}

METHOD(jint, configSet)
(JNIEnv *env, jclass class, jlong config, jbyteArray name, jbyteArray value, jlong out,
 jint capacity)
{
    (void)class;
    size_t name_size = 0, value_size = 0, written;
    tendon_error *error = NULL;
    char *name_copy = copy_of(env, name, &name_size);
    char *value_copy = copy_of(env, value, &value_size);
    tendon_status status = TENDON_ERROR_NO_MEMORY;
    if (name_copy && value_copy)
        status = tendon_config_set_bytes(HANDLE(tendon_config, config), name_copy,
                                         (tendon_bytes){value_copy, value_size}, &error);
    forget(name_copy, name_size);
    forget(value_copy, value_size);
    return status == TENDON_OK
               ? status
               : tendon_jni_write_error(BUFFER(out, capacity), status, error, &written);
}

METHOD(jint, configSetUrl)
(JNIEnv *env, jclass class, jlong config, jbyteArray url, jlong out, jint capacity)
{
    (void)class;
    size_t size = 0, written;
    tendon_error *error = NULL;
    char *copy = copy_of(env, url, &size);
    tendon_status status = TENDON_ERROR_NO_MEMORY;
    if (copy)
        status = tendon_config_set_url(HANDLE(tendon_config, config), copy, &error);
    forget(copy, size);
    return status == TENDON_OK
               ? status
               : tendon_jni_write_error(BUFFER(out, capacity), status, error, &written);
}

METHOD(void, configDestroy)(JNIEnv *env, jclass class, jlong config)
{
    (void)env, (void)class;
    tendon_config_destroy(HANDLE(tendon_config, config));
}

METHOD(jlong, clientCreate)(JNIEnv *env, jclass class, jlong config, jlong out, jint capacity)
{
    (void)env, (void)class;
    size_t written;
    tendon_client *client = NULL;
    tendon_error *error = NULL;
    tendon_status status = tendon_client_create(HANDLE(tendon_config, config), &client, &error);
    if (status == TENDON_OK)
        return (jlong)(uintptr_t)client;
    tendon_jni_write_error(BUFFER(out, capacity), status, error, &written);
    return 0;
}

METHOD(void, clientClose)(JNIEnv *env, jclass class, jlong client)
{
    (void)env, (void)class;
    tendon_client_close(HANDLE(tendon_client, client));
}

METHOD(void, clientDestroy)(JNIEnv *env, jclass class, jlong client)
{
    (void)env, (void)class;
    tendon_client_destroy(HANDLE(tendon_client, client));
}

METHOD(jint, clientStats)(JNIEnv *env, jclass class, jlong client, jlong out, jint capacity)
{
    (void)env, (void)class;
    size_t written;
    tendon_stats stats = {.struct_size = sizeof stats};
    tendon_status status = tendon_client_stats(HANDLE(tendon_client, client), &stats);
    if (status != TENDON_OK || (size_t)capacity < sizeof stats)
        return tendon_jni_write_error(BUFFER(out, capacity), status, NULL, &written);
    memcpy(HANDLE(void, out), &stats, sizeof stats);
    return TENDON_OK;
}

METHOD(jlong, leaseOpen)
(JNIEnv *env, jclass class, jlong client, jlong timeout_ms, jlong out, jint capacity)
{
    (void)env, (void)class;
    size_t written;
    tendon_lease *lease = NULL;
    tendon_error *error = NULL;
    tendon_lease_options options = {.struct_size = sizeof options, .timeout_ms = timeout_ms};
    tendon_status status =
        tendon_lease_open(HANDLE(tendon_client, client), &options, &lease, &error);
    if (status == TENDON_OK)
        return (jlong)(uintptr_t)lease;
    tendon_jni_write_error(BUFFER(out, capacity), status, error, &written);
    return 0;
}

METHOD(void, leaseEnd)(JNIEnv *env, jclass class, jlong lease, jboolean discard)
{
    (void)env, (void)class;
    if (discard)
        tendon_lease_discard(HANDLE(tendon_lease, lease));
    else
        tendon_lease_close(HANDLE(tendon_lease, lease));
}
