/*
 * A command that goes to several nodes of a cluster: the parts it is made of, each a request of its
 * own that is routed, redirected and retried like any other, and the one outcome made of theirs.
 */
#ifndef TENDON_CLIENT_SPREAD_H
#define TENDON_CLIENT_SPREAD_H

#include "client/engine.h"
#include "generated/command_table.h"

struct tendon__part {
    struct tendon__request *request;
    uint32_t first; /* its keys are order[first .. + count) */
    uint32_t count;
    char node[TENDON__FAULT_NODE_MAX]; /* whom it was meant for; "" for the owner of a slot */
};

struct tendon__spread_call {
    struct tendon__sink sink; /* of the parts */
    struct tendon__engine *engine;
    struct tendon__request *whole; /* the caller's */
    uint32_t room;
    uint32_t count;
    uint32_t open;   /* parts without an outcome */
    bool held;       /* not to be finished now: its parts are walked through */
    bool asks;       /* its one part is the question where the keys are */
    uint32_t *order; /* which of the caller's keys a part's are, from 0; NULL without keys */
    uint32_t key_count;
    struct tendon__part parts[];
};

/* Sends the request to the nodes it is for; its outcome comes when all theirs are there. False: it
 * is for one node after all. */
bool tendon__spread(struct tendon__engine *engine, struct tendon__request *request);
/* Asks a primary where the keys of the request are, by COMMAND GETKEYS with its arguments; then the
 * request goes on to them. Its deadline is the question's, and it fails as the question does. */
void tendon__spread_ask_keys(struct tendon__engine *engine, struct tendon__request *request);
/* Ends all parts that are still under way with `fault`, and so the whole. */
void tendon__spread_fail(struct tendon__engine *engine, struct tendon__request *request,
                         const struct tendon__fault *fault);

/* unknown.c: notes what COMMAND GETKEYS said of the request's keys. */
void tendon__unknown_answered(struct tendon__request *request, const tendon_reply *reply);

/* merge.c: the one reply in whole->replies, or the fault. True: there is a reply. */
bool tendon__merge(struct tendon__spread_call *call, struct tendon__fault *fault);

#endif
