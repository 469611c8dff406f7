/*
 * Keeps fork and the look-up of names apart. getaddrinfo takes locks of the C library that its fork
 * does not set free in the child: forked while another thread is inside, the child could never look
 * up a name again.
 */
#ifndef TENDON_NET_FORK_GATE_H
#define TENDON_NET_FORK_GATE_H

/* Around each look-up. Waits while the process forks; a fork waits for those inside, but not for
 * name servers that do not answer. */
void tendon__fork_gate_enter(void);
void tendon__fork_gate_leave(void);

#endif
