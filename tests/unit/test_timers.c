/* Deadlines in runs and heap against a model that looks at every timer. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/random.h"
#include "base/timers.h"
#include "counting_memory.h"

#define TIMERS 200
#define STEPS  10000

static bool is_set(const struct tendon__timer *timer)
{
    return timer->place || tendon__list_linked(&timer->run);
}

static void check_heap(const struct tendon__timers *timers, const struct tendon__timer *all,
                       size_t count)
{
    size_t set = 0, in_heap = 0;
    int64_t first_ns = TENDON__NO_TIME;
    for (size_t i = 0; i < count; i++) {
        if (!is_set(&all[i]))
            continue;
        first_ns = all[i].when_ns < first_ns ? all[i].when_ns : first_ns;
        set++;
        cr_assert(!all[i].place || !tendon__list_linked(&all[i].run));
        cr_assert(all[i].place || all[i].is_one_of_many);
        if (!all[i].place)
            continue;
        in_heap++;
        cr_assert_leq(all[i].place, timers->count);
        cr_assert_eq(timers->heap[all[i].place - 1], &all[i]);
    }
    cr_assert_eq(in_heap, timers->count);
    struct tendon__timer *first = tendon__timers_first(timers);
    cr_assert_eq(first != NULL, set != 0);
    cr_assert(!first || first->when_ns == first_ns);
    for (size_t place = 2; place <= timers->count; place++)
        cr_assert_leq(timers->heap[place / 2 - 1]->when_ns, timers->heap[place - 1]->when_ns);
}

Test(timers, random_steps_against_a_model)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct counting_memory memory = counting_memory_make();
        struct tendon__timers timers;
        struct tendon__timer all[TIMERS];
        int64_t model[TIMERS];
        struct tendon__random random;
        memset(all, 0, sizeof all);
        for (size_t i = 0; i < TIMERS; i++) {
            model[i] = TENDON__NO_TIME;
            all[i].is_one_of_many = i % 3 != 0;
        }
        tendon__random_init(&random, seed);
        tendon__timers_init(&timers, &memory.memory);
        cr_assert_eq(tendon__timers_reserve(&timers, TIMERS), TENDON_OK);
        for (uint32_t step = 0; step < STEPS; step++) {
            size_t at = tendon__random_below(&random, TIMERS);
            bool unset = tendon__random_below(&random, 3) == 0;
            model[at] = unset ? TENDON__NO_TIME : (int64_t)tendon__random_below(&random, seed * 50);
            tendon__timer_set(&timers, &all[at], model[at]);
            check_heap(&timers, all, TIMERS);
        }
        for (size_t i = 0; i < TIMERS; i++) {
            cr_assert_eq(is_set(&all[i]), model[i] != TENDON__NO_TIME);
            cr_assert(!is_set(&all[i]) || all[i].when_ns == model[i]);
        }
        tendon__timers_deinit(&timers);
        cr_assert_eq(memory.blocks, 0);
    }
}

Test(timers, all_come_out_in_order)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__timers timers;
    struct tendon__timer all[TIMERS];
    struct tendon__random random;
    memset(all, 0, sizeof all);
    tendon__random_init(&random, 9);
    tendon__timers_init(&timers, &memory.memory);
    cr_assert_eq(tendon__timers_reserve(&timers, TIMERS), TENDON_OK);
    for (size_t i = 0; i < TIMERS; i++)
        tendon__timer_set(&timers, &all[i], (int64_t)tendon__random_below(&random, 1000) - 500);
    int64_t last_ns = INT64_MIN;
    struct tendon__timer *first;
    while ((first = tendon__timers_first(&timers))) {
        cr_assert_geq(first->when_ns, last_ns);
        last_ns = first->when_ns;
        tendon__timer_set(&timers, first, TENDON__NO_TIME);
        tendon__timer_set(&timers, first, TENDON__NO_TIME);
    }
    cr_assert_eq(timers.count, 0);
    tendon__timers_deinit(&timers);
    cr_assert_eq(memory.blocks, 0);
}

Test(timers, reserving_keeps_what_is_set_and_may_fail)
{
    struct counting_memory memory = counting_memory_make();
    struct tendon__timers timers;
    struct tendon__timer all[TIMERS];
    memset(all, 0, sizeof all);
    tendon__timers_init(&timers, &memory.memory);
    for (size_t i = 0; i < TIMERS; i++) {
        cr_assert_eq(tendon__timers_reserve(&timers, i + 1), TENDON_OK);
        cr_assert_geq(timers.room, i + 1);
        tendon__timer_set(&timers, &all[i], (int64_t)(TIMERS - i));
        check_heap(&timers, all, TIMERS);
    }
    cr_assert_lt(memory.requests, 10, "growing by one each time");
    size_t room = timers.room;
    memory.refuse_from = 1;
    cr_assert_eq(tendon__timers_reserve(&timers, room), TENDON_OK);
    cr_assert_eq(tendon__timers_reserve(&timers, room + 1), TENDON_ERROR_NO_MEMORY);
    check_heap(&timers, all, TIMERS);
    tendon__timers_deinit(&timers);
    cr_assert_eq(memory.blocks, 0);
}
