/* A server's connections: taking them, reading commands one by one, answering, losing them. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

static struct sim_server *server_of(struct sim *sim, const struct sim_link *link)
{
    return &sim->servers[link->server];
}

void sim_server_dropped(struct sim *sim, struct sim_link *link)
{
    if (!link->accepted)
        return;
    link->accepted = false;
    server_of(sim, link)->clients--;
    sim_bytes_free(&link->query);
    link->session = (struct sim_session){0};
}

void sim_server_accept(struct sim *sim, struct sim_link *link)
{
    struct sim_server *server = server_of(sim, link);
    link->accepted = true;
    server->clients++;
    link->session.db = 0;
    if (server->down) {
        sim_link_cut(sim, link, false);
        return;
    }
    if (server->dark) {
        sim_link_hold(sim, link);
        return;
    }
    if (server->clients > server->max_clients && !server->frozen) {
        static const char full[] = "-ERR max number of clients reached\r\n";
        sim_cover(sim, SIM_COVER_maxclients);
        SIM_TRACE(sim, "server %u: too many clients for link %u", link->server, link->index);
        sim_pipe_send(sim, link, false, full, sizeof full - 1);
        sim_server_hang_up(sim, link);
    }
}

void sim_reply_send(struct sim *sim, struct sim_link *link, struct sim_reply *reply, uint32_t token)
{
    SIM_TRACE(sim, "server %u: link %u #%u <- %s", link->server, link->index, token, reply->text);
    if (token)
        sim_note_reply(sim, link, token, reply);
    if (link->session.resp3 && sim_chance(sim, sim->push_percent)) {
        static const char push[] = ">2\r\n+invalidate\r\n*1\r\n$5\r\n{t0}s\r\n";
        sim_pipe_send(sim, link, false, push, sizeof push - 1);
    }
    sim_pipe_send(sim, link, false, reply->raw.data, reply->raw.size);
}

static void note_command(struct sim *sim, const struct sim_link *link,
                         const struct sim_command *command)
{
    char key[16] = "";
    if (!sim->tracing)
        return;
    if (command->key_count)
        sim_key_name(command->keys[0], key);
    sim_trace(sim, "server %u: link %u %s %s%s #%u", link->server, link->index,
              sim_verb_name(command->verb), key, command->key_count > 1 ? " ..." : "",
              command->token);
}

static void serve_later(struct sim *sim, uint32_t index, uint32_t unused)
{
    (void)unused;
    sim->links[index]->serving = false;
    sim_server_read(sim, sim->links[index]);
}

/* One command after the other, as long as the server works and nobody is blocked. */
static void serve(struct sim *sim, struct sim_link *link)
{
    struct sim_command command;
    struct sim_server *server = server_of(sim, link);
    while (link->accepted && !link->session.blocked && !server->frozen && !link->serving &&
           sim_parse_command(sim, link, &command)) {
        note_command(sim, link, &command);
        sim_serve_command(sim, link, &command);
        if (server->slow_ns && link->accepted) {
            link->serving = true;
            sim_cover(sim, SIM_COVER_server_slow);
            sim_later(sim, sim->now_ns + sim_between(sim, 0, server->slow_ns), serve_later,
                      link->index, 0);
        }
    }
}

void sim_server_read(struct sim *sim, struct sim_link *link)
{
    struct sim_pipe *pipe = &link->up;
    struct sim_server *server = server_of(sim, link);
    if (!link->accepted || server->frozen || server->down)
        return;
    if (pipe->arrived) {
        sim_bytes_add(&link->query, pipe->bytes.data, pipe->arrived);
        sim_bytes_cut(&pipe->bytes, pipe->arrived);
        pipe->arrived = 0;
        sim_link_drained(sim, link);
    }
    serve(sim, link);
    bool done = pipe->ended && !pipe->bytes.size && !pipe->held && !link->serving;
    if (link->accepted && done)
        sim_server_dropped(sim, link);
}

void sim_server_serve_all(struct sim *sim, uint32_t server)
{
    for (uint32_t i = sim->first_live; i < sim->link_count; i++)
        if (sim->links[i]->accepted && sim->links[i]->server == server)
            sim_server_read(sim, sim->links[i]);
}

static void tell_blocked(struct sim *sim, struct sim_link *link, struct sim_reply *reply)
{
    link->session.blocked = false;
    link->session.block_serial++;
    sim_reply_send(sim, link, reply, link->session.waiting.token);
}

static bool is_blocked(const struct sim_link *link, uint32_t server)
{
    return link->accepted && link->server == server && link->session.blocked;
}

void sim_wake_blocked(struct sim *sim, uint32_t server, uint8_t key)
{
    for (uint32_t i = sim->first_live; i < sim->link_count; i++) {
        struct sim_link *link = sim->links[i];
        struct sim_reply reply = {0};
        if (!is_blocked(link, server) || link->session.waiting.keys[0] != key ||
            !sim_list_has_element(sim, server, &link->session.waiting))
            continue;
        sim_say_reset(&reply);
        sim_execute(sim, link, &link->session.waiting, &reply);
        sim_cover(sim, SIM_COVER_blocking_served);
        tell_blocked(sim, link, &reply);
        sim_bytes_free(&reply.raw);
        sim_server_read(sim, link);
    }
}

void sim_unblock_all(struct sim *sim, uint32_t server)
{
    for (uint32_t i = sim->first_live; i < sim->link_count; i++) {
        struct sim_link *link = sim->links[i];
        struct sim_reply reply = {0};
        if (!is_blocked(link, server))
            continue;
        sim_say_reset(&reply);
        sim_say_error(&reply, "UNBLOCKED force unblock from blocking operation, instance state "
                              "changed (master -> replica?)");
        sim_cover(sim, SIM_COVER_unblocked);
        tell_blocked(sim, link, &reply);
        sim_bytes_free(&reply.raw);
        sim_server_hang_up(sim, link);
    }
}
