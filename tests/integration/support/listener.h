/* A subscription as a test sees it: says commands, and reads what is told as lines of text. */
#ifndef SUPPORT_LISTENER_H
#define SUPPORT_LISTENER_H

#include "check.h"

#define WAIT_MS PATIENCE_MS

struct listener {
    tendon_client *client;
    tendon_queue *queue;
    tendon_subscription *subscription;
    bool is_driven; /* drive=host */
};

/* A client with a queue and a subscription with tag 77; options as in open_client. */
struct listener listen_with(const char *options);
struct listener listen_to(int port, const char *more);
/* Options for the shared standalone server with `more`. Static. */
const char *standalone(const char *more);
void end_listener(struct listener *listener);
/* Words separated by blanks, of which there are none in the names of these tests. Returns the id.
 */
uint64_t say(struct listener *listener, uint64_t tag, int64_t timeout_ms, const char *line);
/* The next completion as text: "12: 3" for outcomes, "message a b", "closed", "gap"; "" for none.
 * Static. */
const char *next_within(struct listener *listener, double limit_ms);
bool expect(struct listener *listener, const char *text);
/* Passes over what may come any number of times. */
bool expect_after(struct listener *listener, const char *skipped, const char *text);
void publish(tendon_client *client, const char *channel, const char *payload, int receivers);

#endif
