/*
 * Keeps fork apart from work that holds locks of other libraries. getaddrinfo takes locks of the C
 * library that its fork does not set free in the child, and OpenSSL has locks of the whole process,
 * around its providers and its stores: forked while another thread holds one, the child could never
 * look up a name, or begin TLS, again.
 */
#ifndef TENDON_NET_FORK_GATE_H
#define TENDON_NET_FORK_GATE_H

enum tendon__fork_gate {
    TENDON__FORK_GATE_LOOKUP, /* may take as long as a name server */
    TENDON__FORK_GATE_TLS,    /* computes, and reads files */
    TENDON__FORK_GATES,
};

/* Around each such work, never one within another. Waits while the process forks, and a fork waits
 * for those inside, both for half a second at most: without that, nobody could promise that an end
 * comes. Where nobody forks this costs two atomic additions. */
void tendon__fork_gate_enter(enum tendon__fork_gate gate);
void tendon__fork_gate_leave(enum tendon__fork_gate gate);

#endif
