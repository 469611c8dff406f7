/* The exported functions about a client as a whole: watching, connections, nodes, statistics. */
#include <stdio.h>
#include <string.h>

#include "client/client.h"
#include "client/error.h"

tendon_status tendon_client_watch(tendon_client *client, tendon_queue *queue, uint64_t tag,
                                  uint32_t event_mask)
{
    tendon_status status = tendon__client_enter(client, NULL);
    if (status != TENDON_OK)
        return status;
    if (queue)
        tendon__queue_ref(queue, 1);
    tendon__client_lock(client);
    struct tendon_queue *before = client->watcher;
    client->watcher = queue;
    client->watch_tag = tag;
    client->watch_mask = event_mask;
    client->engine->logs = queue && event_mask & 1u << TENDON_EVENT_LOG;
    if (queue)
        atomic_store(&client->async_until_ns,
                     TENDON__NO_TIME); /* events must come without a call that drives */
    tendon__client_unlock(client);
    tendon__client_kick(client);
    if (before)
        tendon__queue_unref(before);
    tendon__client_leave(client);
    return TENDON_OK;
}

tendon_status tendon_client_reconnect(tendon_client *client, int64_t delay_ms)
{
    tendon_status status = tendon__client_enter(client, NULL);
    if (status != TENDON_OK)
        return status;
    int64_t bounded_ms = delay_ms > 86400000 ? 86400000 : delay_ms;
    tendon__client_lock(client);
    tendon__driver_drain(client); /* what was submitted before counts as waiting */
    tendon__engine_reconnect(client->engine, bounded_ms < 0 ? -1 : bounded_ms * TENDON__MS,
                             tendon__now_ns());
    tendon__client_unlock(client);
    tendon__client_kick(client);
    tendon__client_leave(client);
    return TENDON_OK;
}

tendon_status tendon_client_disconnect(tendon_client *client)
{
    tendon_status status = tendon__client_enter(client, NULL);
    if (status != TENDON_OK)
        return status;
    tendon__client_lock(client);
    tendon__driver_drain(client);
    tendon__engine_disconnect(client->engine, tendon__now_ns());
    tendon__client_unlock(client);
    tendon__client_leave(client);
    return TENDON_OK;
}

tendon_status tendon_client_stats(tendon_client *client, tendon_stats *out_stats)
{
    if (!client || !out_stats || out_stats->struct_size < sizeof *out_stats)
        return TENDON_ERROR_ARGUMENT;
    if (*client->fork_page != 1)
        return TENDON_ERROR_FORKED;
    uint32_t size = out_stats->struct_size;
    atomic_fetch_add(&client->inside, 1);
    tendon__client_lock(client);
    tendon__driver_drain(client); /* a lease its borrower has closed counts as given back */
    tendon__engine_stats(client->engine, out_stats);
    tendon__client_unlock(client);
    tendon__client_leave(client);
    out_stats->struct_size = size;
    return TENDON_OK;
}

struct text {
    char *bytes;
    size_t size;
    size_t room;
};

static bool append(struct tendon__memory *memory, struct text *text, const char *words)
{
    size_t length = strlen(words);
    if (text->room - text->size < length) {
        size_t room = text->room * 2 + length + 256;
        char *bytes = tendon__memory_resize(memory, text->bytes, room);
        if (!bytes)
            return false;
        text->bytes = bytes;
        text->room = room;
    }
    if (length)
        memcpy(text->bytes + text->size, words, length);
    text->size += length;
    return true;
}

static bool append_ranges(struct tendon__memory *memory, struct text *text,
                          const struct tendon__topology *map, uint16_t shard)
{
    bool first = true;
    for (uint32_t slot = 0; slot < TENDON__SLOT_COUNT; slot++) {
        uint32_t start = slot;
        if (map->slot_shard[slot] != shard)
            continue;
        while (slot + 1 < TENDON__SLOT_COUNT && map->slot_shard[slot + 1] == shard)
            slot++;
        char range[32];
        snprintf(range, sizeof range, "%s%u-%u", first ? "" : ",", start, slot);
        first = false;
        if (!append(memory, text, range))
            return false;
    }
    return true;
}

static bool append_node(struct tendon_client *client, struct text *text,
                        const struct tendon__node *node)
{
    const struct tendon__topology *map = client->engine->map;
    const char *role = " unknown ";
    /* A seed is often another name of a node of the map, such as a configuration endpoint. */
    if (map && !node->in_map)
        return true;
    uint32_t shard = TENDON__NO_SHARD;
    for (uint32_t i = 0; map && i < map->node_count; i++) {
        if (map->nodes[i].port != node->port || strcmp(map->nodes[i].host, node->host) != 0)
            continue;
        role = map->nodes[i].primary ? " primary " : " replica ";
        shard = map->nodes[i].shard;
    }
    return append(client->memory, text, node->name) && append(client->memory, text, role) &&
           (shard == TENDON__NO_SHARD ||
            append_ranges(client->memory, text, map, (uint16_t)shard)) &&
           append(client->memory, text, "\n");
}

tendon_status tendon_client_nodes(tendon_client *client, tendon_reply **out_reply,
                                  tendon_error **out_error)
{
    struct tendon__fault fault;
    tendon_status status =
        out_reply ? tendon__client_enter(client, &fault)
                  : tendon__fault_set(&fault, TENDON_ERROR_ARGUMENT, "no place for the reply");
    if (status != TENDON_OK) {
        if (out_error)
            *out_error = tendon__error_make(tendon__memory_system(), &fault, 0, 0);
        return status;
    }
    struct text text = {0};
    bool complete = true;
    tendon__client_lock(client);
    struct tendon__link *nodes = &client->engine->nodes;
    for (struct tendon__link *link = nodes->next; link != nodes && complete; link = link->next)
        complete = append_node(client, &text, TENDON__OWNER(link, struct tendon__node, link));
    tendon__client_unlock(client);
    tendon_reply *reply =
        complete ? tendon__reply_text(client->memory, TENDON_NODE_STRING, text.bytes, text.size)
                 : NULL;
    tendon__memory_free(client->memory, text.bytes);
    tendon__client_leave(client);
    if (reply) {
        *out_reply = reply;
        return TENDON_OK;
    }
    tendon__fault_set(&fault, TENDON_ERROR_NO_MEMORY, "no memory for the list of nodes");
    if (out_error)
        *out_error = tendon__error_make(tendon__memory_system(), &fault, 0, 0);
    return TENDON_ERROR_NO_MEMORY;
}
