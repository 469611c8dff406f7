/* Who gets which connection, rule by rule, told as what the owner is asked to do. */
#include "pool_owner.h"

Test(pool, dials_once_per_waiter_and_grants_in_order)
{
    struct owner o;
    open_pool(&o, &plain);
    borrow(&o, 'a', 0);
    borrow(&o, 'b', 0);
    expect(&o, "dial0 dial1 ");
    connected(&o, 1, 5);
    expect(&o, "a=1 ");
    connected(&o, 0, 6);
    expect(&o, "b=0 ");
    cr_assert_eq(o.pool.counters.borrows, 2);
    cr_assert_eq(o.pool.counters.waits, 2);
    cr_assert_eq(o.pool.counters.wait_ns, 11);
}

Test(pool, lends_the_most_recently_used)
{
    struct owner o;
    open_pool(&o, &plain);
    fill(&o, 3, 0);
    borrow(&o, 'a', 1);
    expect(&o, "a=0 ");
    borrow(&o, 'b', 1);
    expect(&o, "b=1 ");
    give_back(&o, 0, 2);
    borrow(&o, 'c', 3);
    expect(&o, "c=0 ");
    cr_assert_eq(o.pool.counters.waits, 3, "none of these three had to wait");
}

Test(pool, serves_waiters_first_come_first_served)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.max = 1;
    open_pool(&o, &options);
    fill(&o, 1, 0);
    borrow(&o, 'a', 0);
    expect(&o, "a=0 ");
    borrow(&o, 'b', 1);
    borrow(&o, 'c', 1);
    borrow(&o, 'd', 1);
    expect(&o, "");
    cancel(&o, 'b', 2);
    give_back(&o, 0, 3);
    expect(&o, "c=0 ");
    give_back(&o, 0, 4);
    expect(&o, "d=0 ");
    give_back(&o, 0, 5);
    expect(&o, "");
    cancel(&o, 'd', 6);
    expect(&o, "");
}

Test(pool, a_cancelled_waiter_leaves_its_dial_to_the_next_or_to_idle)
{
    struct owner o;
    open_pool(&o, &plain);
    borrow(&o, 'a', 0);
    expect(&o, "dial0 ");
    cancel(&o, 'a', 1);
    borrow(&o, 'b', 1);
    expect(&o, "");
    connected(&o, 0, 2);
    expect(&o, "b=0 ");
    borrow(&o, 'c', 3);
    cancel(&o, 'c', 3);
    connected(&o, 1, 4);
    expect(&o, "dial1 ");
    cr_assert_eq(o.pool.idle_count, 1);
    borrow(&o, 'd', 5);
    expect(&o, "d=1 ");
}

Test(pool, a_returned_member_serves_the_waiter_and_its_dial_becomes_idle)
{
    struct owner o;
    open_pool(&o, &plain);
    fill(&o, 1, 0);
    borrow(&o, 'a', 0);
    borrow(&o, 'b', 1);
    expect(&o, "a=0 dial1 ");
    give_back(&o, 0, 2);
    expect(&o, "b=0 ");
    connected(&o, 1, 3);
    expect(&o, "");
    cr_assert_eq(o.pool.idle_count, 1);
}

Test(pool, wait_of_zero_fails_only_when_nothing_is_within_reach)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.max = 2;
    options.wait_ns = 0;
    open_pool(&o, &options);
    borrow(&o, 'a', 0);
    borrow(&o, 'b', 0);
    borrow(&o, 'c', 0);
    expect(&o, "dial0 dial1 c:exhausted ");
    connected(&o, 0, 1);
    connected(&o, 1, 1);
    borrow(&o, 'd', 1);
    expect(&o, "a=0 b=1 d:exhausted ");
    give_back(&o, 1, 2);
    borrow(&o, 'e', 2);
    expect(&o, "e=1 ");
    cr_assert_eq(tendon__pool_deadline(&o.pool), TENDON__NEVER);
}

Test(pool, max_waiting_bounds_those_behind_all_connections)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.max = 1;
    options.max_waiting = 2;
    open_pool(&o, &options);
    borrow(&o, 'a', 0);
    connected(&o, 0, 0);
    expect(&o, "dial0 a=0 ");
    borrow(&o, 'b', 0);
    borrow(&o, 'c', 0);
    expect(&o, "");
    borrow(&o, 'd', 0);
    expect(&o, "d:exhausted ");
    cancel(&o, 'b', 0);
    borrow(&o, 'e', 0);
    expect(&o, "");
}

Test(pool, a_waiter_times_out_at_the_earlier_of_its_two_deadlines)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.max = 1;
    options.wait_ns = 100;
    open_pool(&o, &options);
    fill(&o, 1, 0);
    borrow(&o, 'a', 0);
    borrow_until(&o, 'b', 0, 1000);
    borrow_until(&o, 'c', 0, 50);
    expect(&o, "a=0 ");
    cr_assert_eq(tendon__pool_deadline(&o.pool), 50);
    tick(&o, 49);
    expect(&o, "");
    tick(&o, 50);
    expect(&o, "c:timeout ");
    cr_assert_eq(tendon__pool_deadline(&o.pool), 100);
    tick(&o, 100);
    expect(&o, "b:timeout ");
    cr_assert_eq(tendon__pool_deadline(&o.pool), TENDON__NEVER);
    cr_assert_eq(o.pool.counters.wait_timeouts, 2);
    cr_assert_eq(o.pool.counters.wait_ns, 150);
}

Test(pool, dial_concurrency_and_max_bound_the_dials)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.max = 3;
    options.dial_concurrency = 2;
    open_pool(&o, &options);
    for (char name = 'a'; name <= 'e'; name++)
        borrow(&o, name, 0);
    expect(&o, "dial0 dial1 ");
    connected(&o, 0, 1);
    expect(&o, "a=0 dial2 ");
    connected(&o, 1, 1);
    connected(&o, 2, 1);
    expect(&o, "b=1 c=2 ");
    tendon__pool_give_back(&o.pool, &o.members[1], TENDON__CONDITION_BROKEN, 2);
    expect(&o, "close1:error dial3 ");
}

Test(pool, a_failed_dial_asks_every_waiter_and_dials_again_if_wanted)
{
    struct owner o;
    open_pool(&o, &plain);
    borrow(&o, 'a', 0);
    borrow(&o, 'b', 0);
    borrow(&o, 'c', 0);
    expect(&o, "dial0 dial1 dial2 ");
    o.takes_away = 1 << 1;
    tendon__pool_dial_failed(&o.pool, &o.members[1], 1);
    expect(&o, "a?keep b?gone c?keep ");
    tendon__pool_dial_failed(&o.pool, &o.members[0], 1);
    expect(&o, "a?keep c?keep dial3 ");
    connected(&o, 3, 2);
    connected(&o, 2, 2);
    expect(&o, "a=3 c=2 ");
}

Test(pool, a_refused_dial_is_tried_again_by_kick)
{
    struct owner o;
    open_pool(&o, &plain);
    o.refuses_dials = true;
    borrow(&o, 'a', 0);
    expect(&o, "");
    o.refuses_dials = false;
    tendon__pool_kick(&o.pool, 5);
    expect(&o, "dial0 ");
    connected(&o, 0, 6);
    expect(&o, "a=0 ");
}

Test(pool, tests_on_borrow_and_tries_the_next)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.test_on_borrow = true;
    open_pool(&o, &options);
    fill(&o, 2, 0);
    borrow(&o, 'a', 1);
    expect(&o, "test0 ");
    tested(&o, 0, false, 2);
    expect(&o, "close0:unhealthy test1 ");
    tested(&o, 1, true, 3);
    expect(&o, "a=1 ");
    borrow(&o, 'b', 4);
    expect(&o, "dial2 ");
    connected(&o, 2, 5);
    expect(&o, "b=2 "); /* just shaken hands: needs no test */
    cr_assert_eq(o.pool.counters.closed[TENDON__CLOSE_UNHEALTHY], 1);
}

Test(pool, a_deadline_holds_during_the_test_on_borrow)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.max = 1;
    options.test_on_borrow = true;
    open_pool(&o, &options);
    fill(&o, 1, 0);
    borrow_until(&o, 'a', 0, 10);
    borrow(&o, 'b', 0);
    expect(&o, "test0 ");
    cr_assert_eq(tendon__pool_deadline(&o.pool), 10);
    tick(&o, 10);
    expect(&o, "a:timeout ");
    tested(&o, 0, true, 12);
    expect(&o, "b=0 ");
    give_back(&o, 0, 13);
    borrow(&o, 'c', 14);
    expect(&o, "test0 ");
    cancel(&o, 'c', 15);
    tested(&o, 0, true, 16);
    expect(&o, "");
    cr_assert_eq(o.pool.idle_count, 1);
}

Test(pool, a_waiter_under_test_is_served_by_what_comes_first)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.max = 2;
    options.test_on_borrow = true;
    open_pool(&o, &options);
    fill(&o, 1, 0);
    borrow(&o, 'a', 0);
    borrow(&o, 'b', 0);
    expect(&o, "test0 dial1 ");
    connected(&o, 1, 1);
    expect(&o, "a=1 ");
    tested(&o, 0, true, 2);
    expect(&o, "b=0 ");
}

Test(pool, tests_on_return_before_idle)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.test_on_return = true;
    options.max = 1;
    open_pool(&o, &options);
    borrow(&o, 'a', 0);
    connected(&o, 0, 0);
    give_back(&o, 0, 1);
    expect(&o, "dial0 a=0 test0 ");
    borrow(&o, 'b', 1);
    expect(&o, "");
    tested(&o, 0, true, 2);
    expect(&o, "b=0 ");
    give_back(&o, 0, 3);
    tested(&o, 0, false, 4);
    expect(&o, "test0 close0:unhealthy ");
}

Test(pool, resets_what_comes_back_dirty)
{
    struct owner o;
    struct tendon__pool_options options = plain;
    options.max = 1;
    open_pool(&o, &options);
    fill(&o, 1, 0);
    borrow(&o, 'a', 0);
    tendon__pool_give_back(&o.pool, &o.members[0], TENDON__CONDITION_DIRTY, 1);
    borrow(&o, 'b', 1);
    expect(&o, "a=0 reset0 ");
    tendon__pool_was_reset(&o.pool, &o.members[0], true, 2);
    expect(&o, "b=0 ");
    borrow(&o, 'c', 3);
    tendon__pool_give_back(&o.pool, &o.members[0], TENDON__CONDITION_DIRTY, 3);
    tendon__pool_was_reset(&o.pool, &o.members[0], false, 4);
    expect(&o, "reset0 close0:dirty dial1 ");
}
