/* Names and what the resolver says about them: late, stale, flapping, or nothing at all. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

struct sim_name *sim_name_find(struct sim *sim, const char *name)
{
    for (uint32_t i = 0; i < sim->name_count; i++)
        if (!strcmp(sim->names[i].name, name))
            return &sim->names[i];
    return NULL;
}

void sim_name_add(struct sim *sim, const char *name, const uint8_t *addresses, uint32_t count)
{
    struct sim_name *added = &sim->names[sim->name_count++];
    *added = (struct sim_name){.count = count};
    snprintf(added->name, sizeof added->name, "%s", name);
    memcpy(added->addresses, addresses, count);
}

void sim_name_point(struct sim *sim, const char *name, const uint8_t *addresses, uint32_t count,
                    int64_t delay_ns, int64_t flap_ns)
{
    struct sim_name *changed = sim_name_find(sim, name);
    memcpy(changed->old, changed->addresses, sizeof changed->old);
    changed->old_count = changed->count;
    memcpy(changed->addresses, addresses, count);
    changed->count = count;
    changed->fresh_ns = sim->now_ns + delay_ns;
    changed->steady_ns = changed->fresh_ns + flap_ns;
    SIM_TRACE(sim, "dns: %s will be address %u in %lld ms, steady %lld ms later", name,
              addresses[0], (long long)(delay_ns / SIM_MS), (long long)(flap_ns / SIM_MS));
}

/* What the name means at this moment. */
static void answer(struct sim *sim, struct sim_name *name, struct sim_link *link)
{
    bool stale = sim->now_ns < name->fresh_ns;
    if (!stale && sim->now_ns < name->steady_ns && sim_chance(sim, 50)) {
        stale = true;
        sim_cover(sim, SIM_COVER_dns_flap);
    } else if (stale) {
        sim_cover(sim, SIM_COVER_dns_stale);
    }
    const uint8_t *from = stale ? name->old : name->addresses;
    link->address_count = stale ? name->old_count : name->count;
    memcpy(link->addresses, from, link->address_count);
    for (uint32_t i = link->address_count; i > 1; i--) {
        uint32_t other = sim_below(sim, i);
        uint8_t kept = link->addresses[i - 1];
        link->addresses[i - 1] = link->addresses[other];
        link->addresses[other] = kept;
    }
}

static void answered(struct sim *sim, uint32_t index, uint32_t name_index)
{
    struct sim_link *link = sim->links[index];
    struct sim_name *name = name_index < sim->name_count ? &sim->names[name_index] : NULL;
    if (link->state != SIM_RESOLVING)
        return;
    if (name && sim->now_ns < name->hangs_until_ns) {
        sim_cover(sim, SIM_COVER_dns_hang);
        sim_later(sim, name->hangs_until_ns, answered, index, name_index);
        return;
    }
    link->resolve_failed = !name || sim->now_ns < name->fails_until_ns;
    if (link->resolve_failed)
        sim_cover(sim, SIM_COVER_dns_failure);
    else
        answer(sim, name, link);
    link->resolved = true;
    sim_link_ready(sim, link);
}

void sim_resolve(struct sim *sim, struct sim_link *link, const char *name)
{
    struct sim_name *found = sim_name_find(sim, name);
    uint32_t index = found ? (uint32_t)(found - sim->names) : UINT32_MAX;
    sim_later(sim, sim->now_ns + sim_between(sim, 50000, 5 * SIM_MS), answered, link->index, index);
}
