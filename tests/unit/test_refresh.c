/* The refresh policy against a clock made of numbers. */
#include <criterion/criterion.h>

#include "cluster/refresh.h"

#define MS(n) (INT64_C(1000000) * (n))

static struct tendon__refresh make(int64_t interval_ms, int64_t gap_ms)
{
    struct tendon__refresh refresh;
    tendon__refresh_init(&refresh, MS(interval_ms), MS(gap_ms), 42, MS(1000));
    return refresh;
}

static void expect_no_start_before(struct tendon__refresh *refresh, int64_t now_ns)
{
    cr_assert_not(tendon__refresh_begin(refresh, now_ns - 1));
    cr_assert_eq(tendon__refresh_deadline(refresh), now_ns);
    cr_assert(tendon__refresh_begin(refresh, now_ns));
}

Test(refresh, nothing_is_due_without_interval_and_trigger)
{
    struct tendon__refresh refresh = make(0, 100);
    cr_assert_eq(tendon__refresh_deadline(&refresh), INT64_MAX);
    cr_assert_not(tendon__refresh_begin(&refresh, MS(1000000)));
}

Test(refresh, first_trigger_starts_at_once)
{
    struct tendon__refresh refresh = make(0, 100);
    tendon__refresh_trigger(&refresh, MS(1001));
    expect_no_start_before(&refresh, MS(1001));
}

Test(refresh, one_at_a_time)
{
    struct tendon__refresh refresh = make(0, 100);
    tendon__refresh_trigger(&refresh, MS(1001));
    cr_assert(tendon__refresh_begin(&refresh, MS(1001)));
    cr_assert_eq(tendon__refresh_deadline(&refresh), INT64_MAX);
    tendon__refresh_trigger(&refresh, MS(1002));
    cr_assert_not(tendon__refresh_begin(&refresh, MS(5000)));
}

Test(refresh, triggers_meanwhile_make_one_follow_up)
{
    struct tendon__refresh refresh = make(0, 100);
    tendon__refresh_trigger(&refresh, MS(1001));
    cr_assert(tendon__refresh_begin(&refresh, MS(1001)));
    for (int i = 0; i < 16384; i++)
        tendon__refresh_trigger(&refresh, MS(1002));
    tendon__refresh_done(&refresh, true, MS(1010));
    expect_no_start_before(&refresh, MS(1110));
    tendon__refresh_done(&refresh, true, MS(1120));
    cr_assert_eq(tendon__refresh_deadline(&refresh), INT64_MAX);
}

Test(refresh, gap_holds_then_quiet_time_starts_at_once)
{
    struct tendon__refresh refresh = make(0, 100);
    tendon__refresh_trigger(&refresh, MS(1001));
    cr_assert(tendon__refresh_begin(&refresh, MS(1001)));
    tendon__refresh_done(&refresh, true, MS(1010));
    tendon__refresh_trigger(&refresh, MS(1011));
    tendon__refresh_trigger(&refresh, MS(1090));
    expect_no_start_before(&refresh, MS(1110));
    tendon__refresh_done(&refresh, true, MS(1120));
    tendon__refresh_trigger(&refresh, MS(1500));
    expect_no_start_before(&refresh, MS(1500));
}

Test(refresh, an_urgent_one_waits_for_a_shorter_gap)
{
    struct tendon__refresh refresh = make(0, 1000);
    int64_t now_ns = MS(1001);
    tendon__refresh_urge(&refresh, now_ns);
    expect_no_start_before(&refresh, now_ns);
    tendon__refresh_done(&refresh, true, now_ns);
    tendon__refresh_trigger(&refresh, now_ns + 1);
    cr_assert_eq(tendon__refresh_deadline(&refresh), now_ns + MS(1000));
    tendon__refresh_urge(&refresh, now_ns + 1);
    int64_t due_ns = tendon__refresh_deadline(&refresh);
    cr_assert(due_ns >= now_ns + MS(150) && due_ns <= now_ns + MS(200));
    expect_no_start_before(&refresh, due_ns);
    /* Urged while running: the follow-up is urgent too. */
    tendon__refresh_urge(&refresh, due_ns);
    tendon__refresh_done(&refresh, true, due_ns);
    cr_assert_leq(tendon__refresh_deadline(&refresh), due_ns + MS(200));
}

Test(refresh, a_shorter_gap_than_the_urgent_one_stays)
{
    struct tendon__refresh refresh = make(0, 100);
    tendon__refresh_urge(&refresh, MS(1001));
    cr_assert(tendon__refresh_begin(&refresh, MS(1001)));
    tendon__refresh_done(&refresh, true, MS(1001));
    tendon__refresh_urge(&refresh, MS(1002));
    expect_no_start_before(&refresh, MS(1101));
}

/* Urges for as long, one round after the other; the number of rounds. */
static int urge_for(struct tendon__refresh *refresh, int64_t *now_ns, int64_t length_ns, bool works)
{
    int rounds = 0;
    for (int64_t end_ns = *now_ns + length_ns; *now_ns < end_ns; rounds++) {
        tendon__refresh_urge(refresh, *now_ns);
        *now_ns = tendon__refresh_deadline(refresh);
        cr_assert(tendon__refresh_begin(refresh, *now_ns));
        tendon__refresh_done(refresh, works, *now_ns);
    }
    return rounds;
}

Test(refresh, urgency_is_bounded_and_comes_back_after_quiet)
{
    struct tendon__refresh refresh = make(0, 1000);
    int64_t now_ns = MS(1001);
    int rounds = urge_for(&refresh, &now_ns, MS(60000), true);
    cr_assert(rounds >= 32 + 50 && rounds <= 33 + 56, "%d", rounds);
    now_ns += MS(20000);
    rounds = urge_for(&refresh, &now_ns, MS(3000), true);
    cr_assert(rounds >= 15 && rounds <= 21, "%d", rounds);
}

Test(refresh, urgent_ones_that_fail_back_off)
{
    struct tendon__refresh refresh = make(0, 1000);
    int64_t now_ns = MS(1001);
    int rounds = urge_for(&refresh, &now_ns, MS(60000), false);
    cr_assert_leq(rounds, 27, "2.4 s and more from the fourth on");
}

Test(refresh, failures_back_off_up_to_sixteen_gaps)
{
    struct tendon__refresh refresh = make(0, 200);
    int64_t now_ns = MS(1001);
    static const int64_t factors[] = {2, 4, 8, 16, 16, 16};
    tendon__refresh_trigger(&refresh, now_ns);
    for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++) {
        cr_assert(tendon__refresh_begin(&refresh, now_ns));
        tendon__refresh_done(&refresh, false, now_ns);
        int64_t wait_ns = tendon__refresh_deadline(&refresh) - now_ns;
        cr_assert_geq(wait_ns, MS(200) * factors[i]);
        cr_assert_leq(wait_ns, MS(250) * factors[i]);
        /* A trigger does not jump the backoff. */
        tendon__refresh_trigger(&refresh, now_ns + 1);
        cr_assert_eq(tendon__refresh_deadline(&refresh), now_ns + wait_ns);
        now_ns += wait_ns;
    }
    cr_assert(tendon__refresh_begin(&refresh, now_ns));
    tendon__refresh_done(&refresh, true, now_ns);
    cr_assert_eq(refresh.failures, 0);
    tendon__refresh_trigger(&refresh, now_ns);
    expect_no_start_before(&refresh, now_ns + MS(200));
}

Test(refresh, a_failure_without_gap_does_not_spin)
{
    struct tendon__refresh refresh = make(0, 0);
    tendon__refresh_trigger(&refresh, MS(1001));
    cr_assert(tendon__refresh_begin(&refresh, MS(1001)));
    tendon__refresh_done(&refresh, false, MS(1001));
    cr_assert_geq(tendon__refresh_deadline(&refresh), MS(1201));
}

Test(refresh, periodic_within_twenty_percent_and_spread)
{
    int64_t least_ns = INT64_MAX;
    int64_t most_ns = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct tendon__refresh refresh;
        tendon__refresh_init(&refresh, MS(1000), MS(10), seed, MS(500));
        int64_t wait_ns = tendon__refresh_deadline(&refresh) - MS(500);
        least_ns = wait_ns < least_ns ? wait_ns : least_ns;
        most_ns = wait_ns > most_ns ? wait_ns : most_ns;
    }
    cr_assert(least_ns >= MS(800) && least_ns < MS(820), "%lld", (long long)least_ns);
    cr_assert(most_ns <= MS(1200) && most_ns > MS(1180), "%lld", (long long)most_ns);
}

Test(refresh, periodic_goes_on_after_each_end)
{
    struct tendon__refresh refresh = make(1000, 10);
    int64_t now_ns = MS(1000);
    for (int i = 0; i < 100; i++) {
        int64_t due_ns = tendon__refresh_deadline(&refresh);
        cr_assert(due_ns >= now_ns + MS(800) && due_ns <= now_ns + MS(1200));
        expect_no_start_before(&refresh, due_ns);
        now_ns = due_ns + MS(3);
        tendon__refresh_done(&refresh, true, now_ns);
    }
}

Test(refresh, periodic_respects_a_longer_gap)
{
    struct tendon__refresh refresh = make(10, 500);
    tendon__refresh_trigger(&refresh, MS(1000));
    cr_assert(tendon__refresh_begin(&refresh, MS(1000)));
    tendon__refresh_done(&refresh, true, MS(1000));
    expect_no_start_before(&refresh, MS(1500));
}

Test(refresh, done_without_begin_changes_nothing)
{
    struct tendon__refresh refresh = make(0, 100);
    tendon__refresh_done(&refresh, false, MS(1001));
    cr_assert_eq(refresh.failures, 0);
    cr_assert_eq(tendon__refresh_deadline(&refresh), INT64_MAX);
}

Test(refresh, huge_times_do_not_overflow)
{
    struct tendon__refresh refresh;
    tendon__refresh_init(&refresh, INT64_MAX, INT64_MAX, 1, INT64_MAX / 2);
    tendon__refresh_trigger(&refresh, INT64_MAX / 2);
    cr_assert(tendon__refresh_begin(&refresh, INT64_MAX / 2));
    tendon__refresh_done(&refresh, false, INT64_MAX / 2);
    cr_assert_eq(tendon__refresh_deadline(&refresh), INT64_MAX);
}
