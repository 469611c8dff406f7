/* Key to slot: CRC16 (XMODEM) of the hash tag, modulo 16384. Pure. */
#ifndef TENDON_CLUSTER_SLOTS_H
#define TENDON_CLUSTER_SLOTS_H

#include <stdint.h>

#include <tendon/types.h>

#define TENDON__SLOT_COUNT 16384

uint32_t tendon__key_slot(const void *key, size_t size);

#endif
