/*
 * Trusted certificates that are read once for all clients of the process. Reading the system's
 * bundle takes tens of milliseconds; a handshake with it takes one.
 */
#ifndef TENDON_NET_TLS_OPENSSL_ANCHORS_H
#define TENDON_NET_TLS_OPENSSL_ANCHORS_H

#include <stdbool.h>

#include <openssl/x509_vfy.h>

#define TENDON__ANCHORS_MAX 3 /* sources of one client: a file, a text and the system's bundle */

struct tendon__anchors; /* certificates of one source; they never change, and are counted */

/* What is in the file now. NULL with the reason in OpenSSL's queue. */
struct tendon__anchors *tendon__anchors_file(const char *path);
/* Where the system's bundle is by the environment, else by how OpenSSL was built. */
const char *tendon__anchors_system_path(void);
/* The certificates of `store`, which may be freed after it; NULL when memory ran out. */
struct tendon__anchors *tendon__anchors_store(X509_STORE *store);
void tendon__anchors_unref(struct tendon__anchors *anchors);

/* Lets `store` find the certificates of all `list` in the order given, before it looks into its
 * directories. Takes over the references; on failure they are dropped. */
bool tendon__anchors_serve(X509_STORE *store, struct tendon__anchors *const *list, unsigned count);

#endif
