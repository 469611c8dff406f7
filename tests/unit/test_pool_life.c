/* When connections of a pool come and go: idle, lifetime, health, reservations, drain, close. */
#include "pool_owner.h"

Test(pool_life, max_idle_closes_the_surplus)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.max_idle = 1;
    open_pool(&o, &options);
    borrow(&o, 'a', 0);
    borrow(&o, 'b', 0);
    connected(&o, 0, 0);
    connected(&o, 1, 0);
    expect(&o, "dial0 dial1 a=0 b=1 ");
    give_back(&o, 0, 1);
    give_back(&o, 1, 1);
    expect(&o, "close1:idle ");
}

Test(pool_life, min_idle_is_kept_ready_in_the_background)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.min_idle = 2;
    open_pool(&o, &options);
    cr_assert_leq(tendon__pool_deadline(&o.pool), 0);
    tick(&o, 0);
    expect(&o, "dial0 dial1 ");
    connected(&o, 0, 1);
    connected(&o, 1, 1);
    expect(&o, "");
    borrow(&o, 'a', 2);
    expect(&o, "a=1 dial2 ");
    tendon__pool_lost(&o.pool, &o.members[0], TENDON__CLOSE_PEER, 3);
    expect(&o, "dial3 ");
    cr_assert_eq(o.pool.counters.closed[TENDON__CLOSE_PEER], 1);
}

Test(pool_life, more_min_idle_than_max_idle_does_not_dial_for_ever)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.min_idle = 3;
    options.max_idle = 1;
    open_pool(&o, &options);
    tick(&o, 0);
    connected(&o, 0, 1);
    expect(&o, "dial0 ");
}

Test(pool_life, idle_members_retire_oldest_first_down_to_min_idle)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.idle_timeout_ns = 100;
    options.min_idle = 1;
    open_pool(&o, &options);
    fill(&o, 3, 0);
    borrow(&o, 'a', 10);
    give_back(&o, 0, 20);
    expect(&o, "a=0 ");
    tick(&o, 20);
    cr_assert_eq(tendon__pool_deadline(&o.pool), 100);
    tick(&o, 100);
    expect(&o, "close2:idle close1:idle ");
    cr_assert_eq(tendon__pool_deadline(&o.pool), TENDON__NEVER);
    tick(&o, 10000);
    expect(&o, ""); /* the last one is exempt */
}

Test(pool_life, lifetime_holds_for_min_idle_too_and_it_is_replaced)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.lifetime_ns = 1000;
    options.min_idle = 1;
    open_pool(&o, &options);
    tick(&o, 0);
    connected(&o, 0, 0);
    cr_assert_eq(tendon__pool_deadline(&o.pool), 1000);
    tick(&o, 1000);
    expect(&o, "dial0 close0:lifetime dial1 ");
}

Test(pool_life, lifetime_reached_while_leased_closes_at_give_back)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.lifetime_ns = 1000;
    open_pool(&o, &options);
    fill(&o, 1, 0);
    borrow(&o, 'a', 1);
    tick(&o, 2000);
    expect(&o, "a=0 ");
    tendon__pool_give_back(&o.pool, &o.members[0], TENDON__CONDITION_DIRTY, 2001);
    expect(&o, "close0:lifetime ");
}

Test(pool_life, an_idle_member_past_its_lifetime_is_never_lent)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.lifetime_ns = 1000;
    open_pool(&o, &options);
    fill(&o, 1, 0);
    borrow(&o, 'a', 1000); /* before any tick */
    expect(&o, "close0:lifetime dial1 ");
}

Test(pool_life, jitter_shortens_limits_within_its_share_and_spreads_them)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.max = options.max_idle = options.dial_concurrency = 50;
    options.lifetime_ns = 1000000;
    options.idle_timeout_ns = 500000;
    options.jitter_percent = 20;
    open_pool(&o, &options);
    for (uint32_t i = 0; i < 26; i++)
        borrow(&o, (char)('a' + i), 0);
    int64_t least = INT64_MAX;
    int64_t most = 0;
    for (uint32_t i = 0; i < o.dialled; i++) {
        connected(&o, (int)i, 0);
        int64_t limit = o.members[i].lifetime_limit_ns;
        cr_assert(limit >= 800000 && limit <= 1000000);
        cr_assert(o.members[i].idle_limit_ns >= 400000 && o.members[i].idle_limit_ns <= 500000);
        least = limit < least ? limit : least;
        most = limit > most ? limit : most;
    }
    cr_assert_geq(o.dialled, 20);
    cr_assert_gt(most - least, 100000);
}

Test(pool_life, silent_idle_members_are_tested_and_stay_in_their_place)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.test_while_idle = true;
    options.health_interval_ns = 30;
    options.idle_timeout_ns = 100;
    open_pool(&o, &options);
    fill(&o, 2, 0);
    borrow(&o, 'a', 10);
    give_back(&o, 0, 20);
    expect(&o, "a=0 ");
    cr_assert_eq(tendon__pool_deadline(&o.pool), 30);
    tick(&o, 30);
    expect(&o, "test1 ");
    tested(&o, 1, true, 31);
    borrow(&o, 'b', 32);
    expect(&o, "b=0 "); /* not the one that was merely tested */
    give_back(&o, 0, 33);
    tick(&o, 61);
    expect(&o, "test1 ");
    tested(&o, 1, true, 61);
    tick(&o, 100);
    expect(&o, "close1:idle test0 "); /* tests do not prolong idleness */
    tested(&o, 0, false, 101);
    expect(&o, "close0:unhealthy ");
}

Test(pool_life, a_waiter_does_not_depend_on_a_test_of_an_idle_member)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.test_while_idle = true;
    options.health_interval_ns = 30;
    open_pool(&o, &options);
    fill(&o, 1, 0);
    tick(&o, 30);
    borrow(&o, 'a', 31);
    expect(&o, "test0 dial1 ");
    tested(&o, 0, true, 32);
    expect(&o, "a=0 ");
    connected(&o, 1, 33);
    cr_assert_eq(o.pool.idle_count, 1);
}

Test(pool_life, reservations_count_against_max)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.max = 2;
    open_pool(&o, &options);
    cr_assert(tendon__pool_reserve(&o.pool));
    borrow(&o, 'a', 0);
    borrow(&o, 'b', 0);
    expect(&o, "dial0 ");
    cr_assert_not(tendon__pool_reserve(&o.pool));
    tendon__pool_unreserve(&o.pool, 1);
    expect(&o, "dial1 ");
    cr_assert_not(tendon__pool_reserve(&o.pool));
    cr_assert_not(tendon__pool_reserve_or_evict(&o.pool));
    connected(&o, 0, 1);
    connected(&o, 1, 1);
    give_back(&o, 1, 2);
    expect(&o, "a=0 b=1 ");
    cr_assert_not(tendon__pool_reserve(&o.pool));
    cr_assert(tendon__pool_reserve_or_evict(&o.pool));
    expect(&o, "close1:idle ");
    cr_assert_eq(o.pool.reserved_count, 1);
}

Test(pool_life, evicting_for_a_reservation_does_not_lose_the_place_to_min_idle)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.max = options.min_idle = options.max_idle = 2;
    open_pool(&o, &options);
    tick(&o, 0);
    connected(&o, 0, 0);
    connected(&o, 1, 0);
    expect(&o, "dial0 dial1 ");
    cr_assert(tendon__pool_reserve_or_evict(&o.pool));
    expect(&o, "close0:idle ");
}

Test(pool_life, drain_closes_idle_ones_and_lets_the_others_go_stale)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.max = 3;
    open_pool(&o, &options);
    fill(&o, 2, 0);
    borrow(&o, 'a', 0);
    expect(&o, "a=0 ");
    o.pool.options.test_on_return = true;
    borrow(&o, 'b', 0);
    expect(&o, "b=1 ");
    borrow(&o, 'c', 0);
    expect(&o, "dial2 ");
    give_back(&o, 1, 1);
    expect(&o, "test1 ");
    tendon__pool_drain(&o.pool, TENDON__CLOSE_STALE, 2);
    expect(&o, "");
    connected(&o, 2, 3);
    expect(&o, "close2:stale dial3 ");
    tested(&o, 1, true, 4);
    expect(&o, "close1:stale ");
    connected(&o, 3, 5);
    expect(&o, "c=3 ");
    give_back(&o, 0, 6);
    expect(&o, "close0:stale ");
    give_back(&o, 3, 7);
    tested(&o, 3, true, 8);
    expect(&o, "test3 ");
    tendon__pool_drain(&o.pool, TENDON__CLOSE_STALE, 9);
    expect(&o, "close3:stale ");
    cr_assert_eq(o.pool.counters.closed[TENDON__CLOSE_STALE], 4);
}

Test(pool_life, close_refuses_everybody_and_closes_everything_in_time)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.max = 3;
    open_pool(&o, &options);
    fill(&o, 2, 0);
    borrow(&o, 'a', 0);
    borrow(&o, 'b', 0);
    give_back(&o, 1, 0);
    expect(&o, "a=0 b=1 ");
    borrow(&o, 'c', 0);
    borrow(&o, 'd', 0);
    borrow(&o, 'e', 0);
    expect(&o, "c=1 dial2 ");
    give_back(&o, 1, 0);
    expect(&o, "d=1 ");
    connected(&o, 2, 0);
    give_back(&o, 2, 0);
    expect(&o, "e=2 ");
    borrow(&o, 'f', 0);
    borrow(&o, 'g', 0);
    borrow(&o, 'h', 0);
    expect(&o, "f=2 ");
    give_back(&o, 1, 0);
    give_back(&o, 0, 0);
    expect(&o, "g=1 h=0 ");
    borrow(&o, 'i', 0);
    give_back(&o, 2, 0);
    give_back(&o, 1, 0);
    expect(&o, "i=2 ");
    borrow(&o, 'j', 0);
    borrow(&o, 'k', 0);
    expect(&o, "j=1 ");
    tendon__pool_close(&o.pool, 1);
    expect(&o, "k:closed ");
    borrow(&o, 'l', 2);
    expect(&o, "l:closed ");
    give_back(&o, 0, 3);
    expect(&o, "close0:shutdown ");
    tendon__pool_lost(&o.pool, &o.members[1], TENDON__CLOSE_PEER, 3);
    give_back(&o, 1, 3);
    expect(&o, "");
    cr_assert_not(tendon__pool_reserve(&o.pool));
    cr_assert_eq(tendon__pool_deadline(&o.pool), TENDON__NEVER);
    tick(&o, 1000000);
    expect(&o, "");
}

Test(pool_life, answers_that_come_too_late_change_nothing)
{
    struct owner o;
    open_pool(&o, &plain);
    fill(&o, 1, 0);
    tested(&o, 0, false, 1);
    tendon__pool_was_reset(&o.pool, &o.members[0], false, 1);
    tendon__pool_dial_failed(&o.pool, &o.members[0], 1);
    connected(&o, 0, 1);
    give_back(&o, 0, 1);
    expect(&o, "");
    cr_assert_eq(o.pool.idle_count, 1);
    tendon__pool_lost(&o.pool, &o.members[0], TENDON__CLOSE_PEER, 2);
    tendon__pool_lost(&o.pool, &o.members[0], TENDON__CLOSE_PEER, 2);
    cr_assert_eq(o.pool.counters.closed[TENDON__CLOSE_PEER], 1);
}
