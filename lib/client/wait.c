/*
 * Callers that wait for outcomes sleep on a word of memory. Whoever takes the last outcome off a
 * caller's count touches nothing of its struct any more, for that is gone as soon as the caller
 * looks; a wake that follows names an address only, and a sleeper woken for nothing sleeps on.
 */
#include "client/wait.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLEEPS  1u
#define OUTCOME 2u

static void sleep_while(atomic_uint *word, unsigned value, uint32_t seats)
{
    (void)syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value, NULL, NULL, seats);
}

static void wake(atomic_uint *word, uint32_t seats)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, seats);
}

/* The requests, and the struct, are their caller's as soon as the word says so. */
static void complete_all(struct tendon__sink *sink, struct tendon__link *items, uint32_t count)
{
    struct tendon__wait *wait = TENDON__OWNER(sink, struct tendon__wait, sink);
    struct tendon__room *room = wait->room;
    uint32_t seat = wait->seat;
    atomic_uint *word = &wait->word;
    (void)items;
    if (atomic_fetch_sub(word, count * OUTCOME) != count * OUTCOME + SLEEPS)
        return;
    if (!room) {
        wake(word, FUTEX_BITSET_MATCH_ANY);
        return;
    }
    room->due[seat / TENDON__ROOM_SEATS] |= UINT32_C(1) << seat % TENDON__ROOM_SEATS;
    room->any_due = true;
}

void tendon__wait_init(struct tendon__wait *wait, uint32_t count)
{
    wait->sink = (struct tendon__sink){.complete_all = complete_all};
    wait->room = NULL;
    wait->seat = 0;
    atomic_init(&wait->word, count * OUTCOME);
}

void tendon__wait_join(struct tendon__wait *wait, struct tendon__room *room)
{
    wait->room = room;
    wait->seat = atomic_fetch_add(&room->arrivals, 1) % (TENDON__ROOM_WORDS * TENDON__ROOM_SEATS);
}

void tendon__wait_sleep(struct tendon__wait *wait)
{
    struct tendon__room *room = wait->room;
    uint32_t seats = room ? UINT32_C(1) << wait->seat % TENDON__ROOM_SEATS : FUTEX_BITSET_MATCH_ANY;
    atomic_uint *place = room ? &room->words[wait->seat / TENDON__ROOM_SEATS] : &wait->word;
    atomic_fetch_or(&wait->word, SLEEPS);
    for (;;) {
        /* In this order: the place's word changes after the caller's. */
        unsigned seen = atomic_load(place);
        if (atomic_load(&wait->word) == SLEEPS)
            break;
        sleep_while(place, seen, seats);
    }
    atomic_store(&wait->word, 0);
}

void tendon__room_wake(struct tendon__room *room)
{
    for (uint32_t i = 0; i < TENDON__ROOM_WORDS; i++) {
        if (!room->due[i])
            continue;
        atomic_fetch_add(&room->words[i], 1);
        wake(&room->words[i], room->due[i]);
        room->due[i] = 0;
    }
    room->any_due = false;
}
