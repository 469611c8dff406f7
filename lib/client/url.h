/* URLs to options: redis://, rediss://, valkey://, valkeys:// and unix://. */
#ifndef TENDON_CLIENT_URL_H
#define TENDON_CLIENT_URL_H

#include "client/options.h"

/* Bytes; the largest sensible query is a certificate chain in PEM. */
#define TENDON__URL_MAX 65536

/*
 * Sets what the URL says and leaves other options alone: a part that is missing or empty changes
 * nothing, but a host always replaces what was dialled before (host, port, endpoints, unix_socket).
 * redis:// leaves `tls` as it is, so that a URL never takes away encryption that was asked for.
 * TENDON_ERROR_URL with a text that quotes the URL without its secrets, or TENDON_ERROR_NO_MEMORY;
 * on failure `options` is unchanged.
 */
tendon_status tendon__options_set_url(struct tendon__options *options,
                                      struct tendon__memory *memory, const char *url,
                                      struct tendon__fault *fault);

#endif
