/* Commands about the connection: login, database, transactions, ASKING; and what a server checks
 * before it executes anything. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

void sim_end_transaction(struct sim_session *session)
{
    session->queued_count = 0;
    session->multi = session->multi_asking = session->aborted = false;
    session->watching = session->watch_lost = false;
    session->watch_count = 0;
}

static void say_hello(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                      struct sim_reply *reply)
{
    struct sim_server *server = &sim->servers[link->server];
    struct sim_session *session = &link->session;
    if (server->no_hello) {
        sim_cover(sim, SIM_COVER_old_server_without_hello);
        sim_say_error(reply, "ERR unknown command 'HELLO', with args beginning with: '3' ");
        return;
    }
    if (command->payload == 1 || !server->password[0])
        session->authenticated = true;
    if (!session->authenticated || (server->password[0] && command->payload == 2)) {
        session->authenticated = false;
        sim_cover(sim, command->payload ? SIM_COVER_wrongpass : SIM_COVER_noauth);
        sim_say_error(reply, "%s",
                      command->payload
                          ? "WRONGPASS invalid username-password pair or user is disabled."
                          : "NOAUTH HELLO must be called with the client already authenticated");
        return;
    }
    session->resp3 = command->number == 3;
    if (!session->resp3)
        sim_cover(sim, SIM_COVER_resp2_link);
    const char *texts[] = {"server",  "redis",
                           "version", "7.0.15",
                           "mode",    sim->cluster ? "cluster" : "standalone",
                           "role",    sim_is_primary(sim, link->server) ? "master" : "replica"};
    sim_say_head(reply, session->resp3 ? '%' : '*', session->resp3 ? 5 : 10);
    for (uint32_t i = 0; i < 8; i++)
        sim_say_string(reply, texts[i], 0);
    sim_say_string(reply, "proto", 0);
    sim_say_integer(reply, session->resp3 ? 3 : 2);
}

static void log_in(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                   struct sim_reply *reply)
{
    link->session.authenticated = command->payload == 1;
    if (link->session.authenticated) {
        sim_say_status(reply, "OK");
        return;
    }
    sim_cover(sim, SIM_COVER_wrongpass);
    sim_say_error(reply, "WRONGPASS invalid username-password pair or user is disabled.");
}

static void begin_transaction(struct sim *sim, struct sim_link *link,
                              const struct sim_command *command, struct sim_reply *reply)
{
    struct sim_session *session = &link->session;
    if (session->multi) {
        sim_say_error(reply, "ERR MULTI calls can not be nested");
        return;
    }
    session->multi = true;
    session->multi_owner = command->token ? sim_owner(sim, command->token) : 0;
    sim_say_status(reply, "OK");
}

static void watch(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                  struct sim_reply *reply)
{
    struct sim_session *session = &link->session;
    if (session->multi) {
        sim_say_error(reply, "ERR WATCH inside MULTI is not allowed");
        return;
    }
    for (uint32_t i = 0; i < command->key_count && session->watch_count < 8; i++) {
        uint8_t key = command->keys[i];
        session->watched[session->watch_count].key = key;
        session->watched[session->watch_count++].version =
            sim->servers[link->server].values[key].version;
    }
    session->watching = true;
    session->watch_owner = sim_owner(sim, command->token);
    sim_say_status(reply, "OK");
}

static bool is_watch_broken(const struct sim *sim, const struct sim_link *link)
{
    const struct sim_session *session = &link->session;
    for (uint32_t i = 0; i < session->watch_count; i++)
        if (sim->servers[link->server].values[session->watched[i].key].version !=
            session->watched[i].version)
            return true;
    return session->watch_lost;
}

/* What forbids the transaction as a whole when EXEC comes. */
static bool is_refused(struct sim *sim, struct sim_link *link, struct sim_reply *reply)
{
    const struct sim_session *session = &link->session;
    bool writes = false;
    if (session->aborted) {
        sim_cover(sim, SIM_COVER_execabort);
        sim_say_error(reply, "EXECABORT Transaction discarded because of previous errors.");
        return true;
    }
    for (uint32_t i = 0; i < session->queued_count; i++) {
        const struct sim_command *queued = &session->queued[i];
        writes |= sim_verb_writes(queued->verb);
        if (sim->cluster && queued->key_count &&
            !sim_cluster_serves(sim, link, queued, session->multi_asking, reply))
            return true;
    }
    if (writes && !sim->cluster && !sim_is_primary(sim, link->server)) {
        sim_cover(sim, SIM_COVER_execabort);
        sim_say_error(reply, "EXECABORT Transaction discarded because of: READONLY You can't write "
                             "against a read only replica.");
        return true;
    }
    return false;
}

void sim_serve_exec(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                    struct sim_reply *reply)
{
    struct sim_session *session = &link->session;
    if (!session->multi) {
        sim_say_error(reply, "ERR EXEC without MULTI");
        return;
    }
    if (is_refused(sim, link, reply)) {
        sim_end_transaction(session);
        return;
    }
    if (is_watch_broken(sim, link)) {
        sim_cover(sim, SIM_COVER_watch_abort);
        sim_say_null(reply, session->resp3);
        sim_end_transaction(session);
        return;
    }
    if (command->token)
        sim->tokens[command->token].watched = session->watching;
    sim_say_head(reply, '*', session->queued_count);
    for (uint32_t i = 0; i < session->queued_count; i++) {
        const struct sim_command *queued = &session->queued[i];
        if (sim_verb_is_data(queued->verb))
            sim_execute(sim, link, queued, reply);
        else
            sim_say_status(reply, "OK");
    }
    reply->is_error = false;
    uint32_t count = session->queued_count;
    struct sim_command done[SIM_QUEUED];
    memcpy(done, session->queued, count * sizeof *done);
    sim_end_transaction(session);
    for (uint32_t i = 0; i < count; i++)
        if (done[i].verb == SIM_LPUSH)
            sim_wake_blocked(sim, link->server, done[i].keys[0]);
}

static void select_database(struct sim *sim, struct sim_link *link,
                            const struct sim_command *command, struct sim_reply *reply)
{
    if (sim->cluster && command->number) {
        sim_say_error(reply, "ERR SELECT is not allowed in cluster mode");
        return;
    }
    link->session.db = command->number;
    link->session.db_owner = command->token ? sim_owner(sim, command->token) : 0;
    sim_say_status(reply, "OK");
}

static void discard(struct sim_link *link, struct sim_reply *reply)
{
    if (!link->session.multi) {
        sim_say_error(reply, "ERR DISCARD without MULTI");
        return;
    }
    sim_end_transaction(&link->session);
    sim_say_status(reply, "OK");
}

bool sim_serve_session(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                       struct sim_reply *reply)
{
    struct sim_session *session = &link->session;
    bool ends = command->verb == SIM_EXEC || command->verb == SIM_DISCARD ||
                command->verb == SIM_MULTI || command->verb == SIM_WATCH;
    if (session->multi && !ends)
        return false;
    switch (command->verb) {
    case SIM_HELLO:
        say_hello(sim, link, command, reply);
        return true;
    case SIM_AUTH:
        log_in(sim, link, command, reply);
        return true;
    case SIM_CLIENT:
        sim_say_status(reply, "OK");
        return true;
    case SIM_SELECT:
        select_database(sim, link, command, reply);
        return true;
    case SIM_READONLY:
        session->read_only = true;
        if (sim->cluster)
            sim_say_status(reply, "OK");
        else
            sim_say_error(reply, "ERR This instance has cluster support disabled");
        return true;
    case SIM_ASKING:
        sim_say_status(reply, "OK");
        return true;
    case SIM_CLUSTER:
        sim_cluster_say_slots(sim, link, reply);
        return true;
    case SIM_MULTI:
        begin_transaction(sim, link, command, reply);
        return true;
    case SIM_EXEC:
        sim_serve_exec(sim, link, command, reply);
        return true;
    case SIM_DISCARD:
        discard(link, reply);
        return true;
    case SIM_UNWATCH:
        session->watching = session->watch_lost = false;
        session->watch_count = 0;
        sim_say_status(reply, "OK");
        return true;
    case SIM_WATCH:
        if (!sim_admit(sim, link, command, false, reply))
            return true;
        watch(sim, link, command, reply);
        return true;
    default:
        return false;
    }
}
