/* What servers know: values, the log of executions by token, and replication. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

uint32_t sim_owner(const struct sim *sim, uint32_t token)
{
    const struct sim_call *call = sim->calls[sim->tokens[token].call];
    return call->lease ? call->lease : 0x100000u + call->index;
}

bool sim_has_token(const struct sim *sim, uint32_t server, uint32_t token)
{
    const struct sim_server *at = &sim->servers[server];
    return token / 64 < at->has_room && at->has[token / 64] >> token % 64 & 1;
}

static void set_token(struct sim *sim, uint32_t server, uint32_t token, bool has)
{
    struct sim_server *at = &sim->servers[server];
    if (token / 64 >= at->has_room) {
        uint32_t room = token / 32 + 64;
        at->has = realloc(at->has, room * sizeof *at->has);
        if (!at->has)
            abort();
        memset(at->has + at->has_room, 0, (room - at->has_room) * sizeof *at->has);
        at->has_room = room;
    }
    if (has)
        at->has[token / 64] |= UINT64_C(1) << token % 64;
    else
        at->has[token / 64] &= ~(UINT64_C(1) << token % 64);
}

/* Changes the values of a server as the command says: on its primary and on every replica. */
static void apply(struct sim *sim, uint32_t server, const struct sim_command *command,
                  uint8_t key_used)
{
    for (uint32_t i = 0; i < command->key_count; i++) {
        uint8_t key = command->keys[i];
        struct sim_value *value = &sim->servers[server].values[key];
        if (command->verb == SIM_BLPOP && key != key_used)
            continue;
        value->version++;
        value->last = command->token;
        value->exists = command->verb != SIM_DEL;
        if (command->verb == SIM_SET)
            value->padding = command->payload;
        if (command->verb == SIM_DEL)
            value->number = value->length = 0;
        if (command->verb == SIM_INCR || command->verb == SIM_APPEND)
            value->number++;
        if (command->verb == SIM_LPUSH)
            value->length++;
        if (command->verb == SIM_BLPOP && value->length)
            value->exists = --value->length > 0;
    }
    set_token(sim, server, command->token, true);
}

static void replicate_one(struct sim *sim, uint32_t index, uint32_t replica)
{
    const struct sim_write *write = &sim->writes[index];
    struct sim_server *server = &sim->servers[replica];
    if (server->primary != write->server || server->epoch != write->epoch)
        return;
    if (server->down || server->dark || server->frozen || sim->servers[write->server].dark)
        server->link_down = true; /* it will need everything anew */
    if (!server->link_down)
        apply(sim, replica, &write->command, write->popped);
}

static void replicate(struct sim *sim, uint32_t server, const struct sim_command *command,
                      uint8_t popped)
{
    sim->writes = sim_grow(sim->writes, sim->write_count, &sim->write_room, sizeof *sim->writes);
    sim->writes[sim->write_count++] =
        (struct sim_write){server, sim->servers[server].epoch, *command, popped};
    for (uint32_t i = 0; i < sim->server_count; i++) {
        struct sim_server *replica = &sim->servers[i];
        if (!replica->exists || replica->primary != server)
            continue;
        int64_t when_ns = sim->now_ns + sim_between(sim, 0, sim->lag_ns);
        if (when_ns < replica->replicated_ns)
            when_ns = replica->replicated_ns;
        replica->replicated_ns = when_ns;
        sim_later(sim, when_ns, replicate_one, sim->write_count - 1, i);
    }
}

bool sim_list_has_element(const struct sim *sim, uint32_t server, const struct sim_command *command)
{
    return command->key_count && sim->servers[server].values[command->keys[0]].length > 0;
}

void sim_note_reply(struct sim *sim, struct sim_link *link, uint32_t token,
                    const struct sim_reply *reply)
{
    struct sim_token *at = &sim->tokens[token];
    uint32_t place = at->reply_count++ % SIM_REPLIES;
    at->replies[place].hash = reply->hash;
    at->replies[place].link = link->index;
    at->replies[place].is_error = reply->is_error;
    if (sim->calls[at->call]->outcomes)
        sim_cover(sim, SIM_COVER_reply_after_outcome);
}

/* The command is executed: here it is seen that it may be. */
static void log_execution(struct sim *sim, uint32_t server, const struct sim_command *command)
{
    struct sim_token *token = &sim->tokens[command->token];
    const struct sim_call *call = sim->calls[token->call];
    token->executions++;
    token->server = server;
    if (token->executions > 1 && !token->repeatable && !sim->options.retry_unsafe)
        sim_fail(sim, "%s #%u is not idempotent and is executed a second time",
                 sim_verb_name(command->verb), command->token);
    if (!call->outcomes)
        return;
    sim_cover(sim, SIM_COVER_executed_after_outcome);
    if (call->status != TENDON_OK && call->executed == TENDON_EXECUTED_NO)
        sim_fail(sim, "%s #%u is executed, but its call %u ended before with executed: no (%s)",
                 sim_verb_name(command->verb), command->token, call->index, call->text);
}

static bool wrong_type(const struct sim_command *command)
{
    uint32_t type = command->keys[0] % SIM_TYPES;
    switch (command->verb) {
    case SIM_GET:
    case SIM_APPEND:
        return type == 3;
    case SIM_INCR:
        return type != 2;
    case SIM_LPUSH:
    case SIM_BLPOP:
        return type != 3;
    default:
        return false;
    }
}

static void say_value(struct sim_reply *reply, const struct sim_value *value, uint32_t token,
                      bool resp3)
{
    char text[48];
    if (!value->exists) {
        sim_say_null(reply, resp3);
        return;
    }
    snprintf(text, sizeof text, "w%u#%u", value->last, token);
    sim_say_string(reply, text, value->padding);
}

static void say_result(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                       uint32_t existed, struct sim_reply *reply)
{
    const struct sim_value *values = sim->servers[link->server].values;
    const struct sim_value *value = &values[command->keys[0]];
    int64_t base = (int64_t)(command->keys[0] + 1) * 1000000;
    bool resp3 = link->session.resp3;
    char text[48];
    switch (command->verb) {
    case SIM_GET:
        say_value(reply, value, command->token, resp3);
        break;
    case SIM_MGET:
        sim_say_head(reply, '*', command->key_count + 1);
        for (uint32_t i = 0; i < command->key_count; i++)
            say_value(reply, &values[command->keys[i]], command->token, resp3);
        snprintf(text, sizeof text, "#%u", command->token);
        sim_say_string(reply, text, 0);
        break;
    case SIM_SET:
        sim_say_status(reply, "OK#%u", command->token);
        break;
    case SIM_DEL:
        sim_say_integer(reply, (int64_t)command->token * 10 + existed);
        break;
    case SIM_LPUSH:
        sim_say_integer(reply, base + value->length);
        break;
    case SIM_BLPOP:
        sim_say_head(reply, '*', 2);
        sim_key_name(command->keys[0], text);
        sim_say_string(reply, text, 0);
        snprintf(text, sizeof text, "e#%u", command->token);
        sim_say_string(reply, text, 0);
        break;
    default:
        sim_say_integer(reply, base + value->number);
        break;
    }
}

void sim_execute(struct sim *sim, struct sim_link *link, const struct sim_command *command,
                 struct sim_reply *reply)
{
    uint32_t existed = 0;
    if (wrong_type(command)) {
        sim_cover(sim, SIM_COVER_wrongtype);
        sim_say_error(reply, "WRONGTYPE Operation against a key holding the wrong kind of value");
        return;
    }
    for (uint32_t i = 0; i < command->key_count; i++)
        existed += sim->servers[link->server].values[command->keys[i]].exists;
    log_execution(sim, link->server, command);
    if (sim_verb_writes(command->verb)) {
        uint8_t popped = command->verb == SIM_BLPOP ? command->keys[0] : SIM_NO_KEY;
        apply(sim, link->server, command, popped);
        replicate(sim, link->server, command, popped);
        if (sim_true_owner(sim, command->keys[0]) != link->server)
            sim_cover(sim, SIM_COVER_write_after_demotion);
    } else if (!sim_is_primary(sim, link->server)) {
        sim_cover(sim, SIM_COVER_replica_read);
    }
    say_result(sim, link, command, existed, reply);
}

/* Whoever has to have what the token wrote, has it. */
bool sim_is_kept(const struct sim *sim, uint32_t token)
{
    uint8_t key = sim->tokens[token].command.keys[0];
    uint8_t owner = sim_true_owner(sim, key);
    const struct sim_migration *migration = &sim->migration;
    if (owner == SIM_NOBODY)
        owner = sim->uncovered_owner;
    if (migration->active && migration->tag == key / SIM_TYPES &&
        sim_has_token(sim, migration->to, token))
        return true;
    return sim_has_token(sim, owner, token);
}

void sim_mark_lost(struct sim *sim, uint32_t server)
{
    for (uint32_t i = 1; i < sim->token_count; i++) {
        struct sim_token *token = &sim->tokens[i];
        if (!token->writes || token->lost || !sim_has_token(sim, server, i))
            continue;
        if (sim_is_kept(sim, i))
            continue;
        token->lost = true;
        sim_cover(sim, SIM_COVER_write_lost_by_server);
        SIM_TRACE(sim, "server %u: #%u is lost by the servers", server, i);
    }
}

void sim_resync(struct sim *sim, uint32_t to, uint32_t from)
{
    struct sim_server *copy = &sim->servers[to];
    const struct sim_server *original = &sim->servers[from];
    sim_mark_lost(sim, to);
    memcpy(copy->values, original->values, sizeof copy->values);
    if (copy->has_room < original->has_room) {
        copy->has = realloc(copy->has, original->has_room * sizeof *copy->has);
        if (!copy->has)
            abort();
        copy->has_room = original->has_room;
    }
    if (copy->has_room)
        memset(copy->has, 0, copy->has_room * sizeof *copy->has);
    if (original->has_room)
        memcpy(copy->has, original->has, original->has_room * sizeof *copy->has);
    copy->epoch = original->epoch;
    copy->link_down = false;
}

static void move_on(struct sim *sim, uint32_t from, uint32_t to, uint8_t key)
{
    sim->servers[to].values[key] = sim->servers[from].values[key];
    sim->servers[to].values[key].version += 1000;
    uint32_t version = sim->servers[from].values[key].version;
    sim->servers[from].values[key] = (struct sim_value){.version = version + 1};
    for (uint32_t i = 1; i < sim->token_count; i++) {
        const struct sim_token *token = &sim->tokens[i];
        if (!token->writes || token->command.keys[0] != key || !sim_has_token(sim, from, i))
            continue;
        set_token(sim, from, i, false);
        set_token(sim, to, i, true);
    }
}

void sim_move_key(struct sim *sim, uint32_t from, uint32_t to, uint8_t key)
{
    SIM_TRACE(sim, "cluster: key %u moves from server %u to %u", key, from, to);
    move_on(sim, from, to, key);
    /* Replicas of both follow at once: their lag is tested by ordinary writes. */
    for (uint32_t i = 0; i < sim->server_count; i++) {
        if (!sim->servers[i].exists || sim->servers[i].link_down)
            continue;
        if (sim->servers[i].primary == from || sim->servers[i].primary == to)
            sim_resync(sim, i, sim->servers[i].primary);
    }
}
