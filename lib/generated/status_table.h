/* The table behind tendon_status_name and tendon_status_text; its rows are generated. */
#ifndef TENDON_GENERATED_STATUS_TABLE_H
#define TENDON_GENERATED_STATUS_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct tendon__status_row {
    int32_t status;
    uint32_t error_class;
    uint32_t executed; /* bits 1 << TENDON_EXECUTED_*: what it may be beside this status */
    const char *name;
    const char *text;
};

extern const struct tendon__status_row tendon__status_table[];
extern const size_t tendon__status_count;

#endif
