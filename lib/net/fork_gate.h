/*
 * Keeps fork apart from work that holds locks of other libraries. getaddrinfo takes locks of the C
 * library that its fork does not set free in the child, and OpenSSL has locks of the whole process,
 * around its providers and its stores: forked while another thread holds one, the child could never
 * look up a name, or begin TLS, again.
 */
#ifndef TENDON_NET_FORK_GATE_H
#define TENDON_NET_FORK_GATE_H

/* Around each such work, never one within another. Waits while the process forks; a fork waits for
 * those inside, but not for name servers that do not answer. Where nobody forks this costs two
 * atomic additions. */
void tendon__fork_gate_enter(void);
void tendon__fork_gate_leave(void);

#endif
