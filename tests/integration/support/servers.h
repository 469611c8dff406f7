/* The shared test servers, read from the file that TENDON_SERVERS names (docs/testing.md). */
#ifndef SUPPORT_SERVERS_H
#define SUPPORT_SERVERS_H

#include <stdbool.h>

/* Reads the file. False, after saying why on stderr, when there is none: the program then ends
 * with 77. */
bool servers_load(void);
/* A text by its path, such as "tls.ca_file" or "cluster.nodes.0.host"; "" when there is none.
 * Static until the same path is asked for again or 32 others were. */
const char *server_text(const char *path);
/* A number by its path, such as "standalone.port"; 0 when there is none. */
int server_number(const char *path);

#endif
