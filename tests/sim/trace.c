/* The readable trace of a world, the sentence about what did not hold, and the names of what was
 * covered. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

/* One line stays one line, whatever is quoted in it. */
static void flatten(char *text)
{
    for (; *text; text++)
        if (*text == '\r' || *text == '\n')
            *text = '~';
}

void sim_trace(struct sim *sim, const char *format, ...)
{
    char *line = sim->trace[sim->trace_count++ % SIM_TRACE_LINES];
    size_t room = sizeof sim->trace[0];
    int used =
        snprintf(line, room, "%12.6f ms%s ", (double)sim->now_ns / 1e6, sim->in_turn ? " |" : "  ");
    va_list list;
    va_start(list, format);
    vsnprintf(line + used, room - (size_t)used, format, list);
    va_end(list);
    flatten(line);
    sim->trace_hash = sim_hash(sim->trace_hash, line, strlen(line));
    if (sim->printing)
        puts(line);
}

void sim_trace_show(const struct sim *sim)
{
    uint32_t first = sim->trace_count > SIM_TRACE_LINES ? sim->trace_count - SIM_TRACE_LINES : 0;
    for (uint32_t i = first; i < sim->trace_count; i++)
        puts(sim->trace[i % SIM_TRACE_LINES]);
}

void sim_fail(struct sim *sim, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(sim->complaint, sizeof sim->complaint, format, list);
    va_end(list);
    flatten(sim->complaint);
    longjmp(*sim->escape, 1);
}

void sim_cover(struct sim *sim, enum sim_cover what)
{
    sim->cover[what]++;
}

const char *sim_cover_name(uint32_t what)
{
    static const char *const names[] = {
#define SIM_COVER(name) #name,
#include "coverage.def"
#undef SIM_COVER
    };
    return names[what];
}
