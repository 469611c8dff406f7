/* One command on one connection: may it be here, may it be served now, and then its answer. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

bool sim_admit(struct sim *sim, struct sim_link *link, const struct sim_command *command,
               bool asking, struct sim_reply *reply)
{
    struct sim_server *server = &sim->servers[link->server];
    if (sim->cluster && command->key_count &&
        !sim_cluster_serves(sim, link, command, asking, reply))
        return false;
    bool replica = !sim_is_primary(sim, link->server);
    if (!sim->cluster && replica && sim_verb_writes(command->verb)) {
        sim_cover(sim, SIM_COVER_readonly);
        sim_say_error(reply, "READONLY You can't write against a read only replica.");
        return false;
    }
    if (replica && server->link_down && command->key_count) {
        sim_cover(sim, SIM_COVER_masterdown);
        sim_say_error(reply, "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is "
                             "set to 'no'.");
        return false;
    }
    if (sim->now_ns < server->loading_until_ns) {
        sim_cover(sim, SIM_COVER_loading);
        sim_say_error(reply, "LOADING Redis is loading the dataset in memory");
        return false;
    }
    if (sim->now_ns < server->busy_until_ns) {
        sim_cover(sim, SIM_COVER_busy);
        sim_say_error(reply, "BUSY Redis is busy running a script. You can only call SCRIPT KILL "
                             "or SHUTDOWN NOSAVE.");
        return false;
    }
    return true;
}

/* A command must not meet what another borrower or caller left on the connection. */
static void check_session(struct sim *sim, struct sim_link *link, const struct sim_command *command)
{
    const struct sim_session *session = &link->session;
    if (!command->token)
        return;
    const char *name = sim_verb_name(command->verb);
    uint32_t owner = sim_owner(sim, command->token);
    if (session->multi && session->multi_owner != owner)
        sim_fail(sim, "%s #%u is sent on link %u inside a MULTI of somebody else", name,
                 command->token, link->index);
    if (session->watching && session->watch_owner != owner)
        sim_fail(sim, "%s #%u is sent on link %u where somebody else's WATCH is in force", name,
                 command->token, link->index);
    if (session->db != (uint32_t)sim->options.db && session->db_owner != owner)
        sim_fail(sim, "%s #%u is sent on link %u to database %u, which somebody else selected",
                 name, command->token, link->index, session->db);
}

static void check_asking(struct sim *sim, struct sim_link *link, const struct sim_command *command)
{
    if (!command->token || !sim->tokens[command->token].asked)
        sim_fail(sim, "%s #%u follows ASKING on link %u, but was not redirected by ASK",
                 sim_verb_name(command->verb), command->token, link->index);
    sim_cover(sim, SIM_COVER_asking_used);
}

static void block_ended(struct sim *sim, uint32_t index, uint32_t serial)
{
    struct sim_link *link = sim->links[index];
    struct sim_session *session = &link->session;
    struct sim_reply reply = {0};
    if (!link->accepted || !session->blocked || session->block_serial != serial)
        return;
    session->blocked = false;
    sim_say_reset(&reply);
    sim_say_null(&reply, session->resp3);
    sim_cover(sim, SIM_COVER_blocking_timeout);
    sim_reply_send(sim, link, &reply, session->waiting.token);
    sim_bytes_free(&reply.raw);
    sim_server_read(sim, link);
}

static void block(struct sim *sim, struct sim_link *link, const struct sim_command *command)
{
    struct sim_session *session = &link->session;
    session->blocked = true;
    session->waiting = *command;
    session->block_serial++;
    if (command->timeout_ns)
        sim_later(sim, sim->now_ns + command->timeout_ns, block_ended, link->index,
                  session->block_serial);
}

static void queue(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                  struct sim_reply *reply)
{
    struct sim_session *session = &link->session;
    if (session->queued_count == SIM_QUEUED) {
        session->aborted = true;
        sim_say_error(reply, "ERR too many commands in this simulated MULTI");
        return;
    }
    (void)sim;
    session->queued[session->queued_count++] = *command;
    sim_say_status(reply, "QUEUED");
}

static void say_pong(const struct sim_command *command, struct sim_reply *reply)
{
    char text[24];
    snprintf(text, sizeof text, "#%u", command->token);
    if (command->token)
        sim_say_string(reply, text, 0);
    else
        sim_say_status(reply, "PONG");
}

/* Not about the session. False: the answer comes later. */
static bool serve_data(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                       bool asking, struct sim_reply *reply)
{
    struct sim_session *session = &link->session;
    bool in_multi = session->multi;
    if (!sim_admit(sim, link, command, asking || (in_multi && session->multi_asking), reply)) {
        session->aborted |= in_multi;
        return true;
    }
    if (in_multi) {
        queue(sim, link, command, reply);
    } else if (command->verb == SIM_PING) {
        say_pong(command, reply);
    } else if (command->verb == SIM_BLPOP && command->keys[0] % SIM_TYPES == 3 &&
               !sim_list_has_element(sim, link->server, command)) {
        block(sim, link, command);
        return false;
    } else {
        sim_execute(sim, link, command, reply);
    }
    return true;
}

static bool is_open_to_strangers(enum sim_verb verb)
{
    return verb == SIM_HELLO || verb == SIM_AUTH;
}

void sim_serve_command(struct sim *sim, struct sim_link *link, const struct sim_command *command)
{
    struct sim_server *server = &sim->servers[link->server];
    struct sim_session *session = &link->session;
    struct sim_reply reply = {0};
    bool asking = session->asking;
    sim_say_reset(&reply);
    check_session(sim, link, command);
    if (asking)
        check_asking(sim, link, command);
    session->asking = command->verb == SIM_ASKING;
    bool said = true;
    if (command->verb == SIM_UNWATCH && !command->token)
        sim_cover(sim, SIM_COVER_lease_cleaned);
    if (server->password[0] && !session->authenticated && !is_open_to_strangers(command->verb)) {
        sim_cover(sim, SIM_COVER_noauth);
        bool aborts = session->multi && command->verb == SIM_EXEC;
        sim_say_error(&reply, "%sNOAUTH Authentication required.",
                      aborts ? "EXECABORT Transaction discarded because of: " : "");
        session->aborted |= session->multi;
        if (aborts)
            sim_end_transaction(session);
    } else if (!sim_serve_pubsub(sim, link, command, &reply) &&
               !sim_serve_session(sim, link, command, &reply)) {
        said = serve_data(sim, link, command, asking, &reply);
    }
    if (command->verb == SIM_MULTI && !reply.is_error)
        session->multi_asking = asking;
    if (said)
        sim_reply_send(sim, link, &reply, command->token);
    bool hang_up = sim->close_on_readonly && reply.is_error && strstr(reply.text, "READONLY");
    bool pushed = said && command->verb == SIM_LPUSH && !session->multi && !reply.is_error;
    sim_bytes_free(&reply.raw);
    if (hang_up)
        sim_server_hang_up(sim, link);
    if (pushed)
        sim_wake_blocked(sim, link->server, command->keys[0]);
}
