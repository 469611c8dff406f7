/* Public requests to the engine's own: frames, flags, slots, deadlines, groups, refusals and
 * failing memory. */
#include <criterion/criterion.h>
#include <string.h>

#include "client/group_keys.h"
#include "client/options.h"
#include "client/request_build.h"
#include "counting_memory.h"

#define MEMBERS 8
#define WORDS   8

struct build {
    struct counting_memory memory;
    struct tendon__options options;
    struct tendon__sink sink;
    tendon_request asked[MEMBERS];
    tendon_bytes args[MEMBERS][WORDS];
    uint32_t count;
    struct tendon__request *request;
    struct tendon__fault fault;
};

/* Members are separated by '|', words by one blank. */
static void ask(struct build *build, const char *commands)
{
    memset(build, 0, sizeof *build);
    build->memory = counting_memory_make();
    tendon__options_init(&build->options);
    for (const char *at = commands; at && build->count < MEMBERS; build->count++) {
        tendon_request *asked = &build->asked[build->count];
        *asked = (tendon_request){.struct_size = sizeof *asked, .args = build->args[build->count]};
        while (*at && *at != '|') {
            size_t size = strcspn(at, " |");
            build->args[build->count][asked->arg_count++] = (tendon_bytes){at, size};
            at += size + (at[size] == ' ');
        }
        at = *at ? at + 1 : NULL;
    }
    for (uint32_t i = 0; build->count > 1 && i < build->count; i++)
        build->asked[i].flags =
            TENDON_REQUEST_ATOMIC | (i + 1 == build->count ? TENDON_REQUEST_ATOMIC_END : 0);
}

static tendon_status make(struct build *build)
{
    return tendon__request_build(&build->memory.memory, &build->options, true, build->asked,
                                 sizeof build->asked[0], build->count, &build->sink,
                                 &build->request, &build->fault);
}

static void drop(struct build *build)
{
    if (build->request) {
        build->request->refs = 1;
        tendon__request_unref(build->request);
    }
    cr_assert_eq(build->memory.blocks, 0);
}

static void expect_flags(const char *commands, uint32_t with, uint32_t without)
{
    struct build build;
    ask(&build, commands);
    cr_assert_eq(make(&build), TENDON_OK, "%s: %s", commands, build.fault.text);
    cr_assert_eq(build.request->flags & with, with, "%s lacks %x", commands,
                 with & ~build.request->flags);
    cr_assert_eq(build.request->flags & without, 0, "%s has %x", commands,
                 without & build.request->flags);
    drop(&build);
}

static void expect_refused(const char *commands, tendon_status status)
{
    struct build build;
    ask(&build, commands);
    cr_assert_eq(make(&build), status, "%s: %s", commands, build.fault.text);
    cr_assert_eq(build.fault.status, status);
    cr_assert_gt(strlen(build.fault.text), 0);
    drop(&build);
}

Test(request_build, frame_of_both_forms)
{
    static const char frame[] = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n";
    static const uint32_t sizes[] = {3, 1, 0};
    struct build build;
    ask(&build, "SET k");
    build.args[0][2] = (tendon_bytes){NULL, 0};
    build.asked[0].arg_count = 3;
    build.asked[0].tag = 77;
    for (int packed = 0; packed < 2; packed++) {
        if (packed) {
            build.asked[0].args = NULL;
            build.asked[0].packed = "SETk";
            build.asked[0].packed_sizes = sizes;
        }
        cr_assert_eq(make(&build), TENDON_OK, "%s", build.fault.text);
        cr_assert_eq(build.request->frame_bytes, sizeof frame - 1);
        cr_assert_eq(memcmp(build.request->frame, frame, sizeof frame - 1), 0);
        cr_assert_eq(build.request->tag, 77);
        cr_assert_eq(build.request->refs, 2);
        drop(&build);
    }
}

Test(request_build, what_the_command_table_knows)
{
    expect_flags("GET a", TENDON_REQUEST_READ_ONLY | TENDON__REQUEST_REPLICA_SAFE,
                 TENDON_REQUEST_BLOCKING);
    expect_flags("INCR a", 0, TENDON_REQUEST_READ_ONLY | TENDON_REQUEST_IDEMPOTENT);
    expect_flags("NOSUCHCOMMAND a", 0, TENDON_REQUEST_READ_ONLY | TENDON_REQUEST_IDEMPOTENT);
    expect_flags("BLPOP a 1", TENDON_REQUEST_BLOCKING, TENDON_REQUEST_READ_ONLY);
    expect_flags("XREAD STREAMS a 0", 0, TENDON_REQUEST_BLOCKING);
    expect_flags("MGET {x}1 {x}2", 0, TENDON__REQUEST_CROSS_SLOT);
    expect_flags("MGET x y", TENDON__REQUEST_CROSS_SLOT, 0);
}

Test(request_build, a_group_is_what_all_its_members_are)
{
    const uint32_t safe = TENDON_REQUEST_READ_ONLY | TENDON_REQUEST_IDEMPOTENT;
    expect_flags("GET a|GET a", TENDON_REQUEST_READ_ONLY, TENDON__REQUEST_TRANSACTION);
    expect_flags("GET a|INCR a", 0, safe);
    expect_flags("INCR a|GET a", 0, safe);
    expect_flags("MULTI|GET a|EXEC", TENDON_REQUEST_READ_ONLY | TENDON__REQUEST_TRANSACTION, 0);
    expect_flags("MULTI|INCR a|EXEC", TENDON__REQUEST_TRANSACTION, safe);
    expect_flags("INCR a|INCR b", TENDON__REQUEST_CROSS_SLOT, 0);
}

/* What is idempotent by itself need not be so together: the second execution may see what the first
 * has done. */
Test(request_build, commands_of_one_key_are_together_not_idempotent)
{
    const uint32_t twice = TENDON_REQUEST_IDEMPOTENT;
    expect_flags("MULTI|SADD k x|EXEC", twice | TENDON__REQUEST_TRANSACTION, 0);
    expect_flags("MULTI|DEL k k|EXEC", twice, 0);
    expect_flags("MULTI|SADD {k}1 x|SET {k}2 y|MSET {k}3 a {k}4 b|EXEC", twice, 0);
    expect_flags("SADD {k}1 x|SADD {k}2 x", twice, 0);
    expect_flags("MULTI|SREM k x|SADD k x|EXEC", 0, twice);
    expect_flags("MULTI|DEL {k}1 {k}2|SET {k}2 y|EXEC", 0, twice);
    expect_flags("MULTI|PFMERGE {k}d {k}s|PFADD {k}s x|EXEC", 0, twice);
    expect_flags("GETEX k EX 10|SETRANGE k 0 x", 0, twice);
    expect_flags("MULTI|CONFIG SET a 1|EXEC", twice, 0);
    expect_flags("MULTI|CONFIG GET a|CONFIG SET a 1|EXEC", 0, twice);
    expect_flags("MULTI|SADD k x|INFO|EXEC", 0, twice);
    expect_flags("MULTI|PING|SADD k x|EXEC", 0, twice);
    expect_flags("MULTI|GET k|GET k|EXEC", TENDON_REQUEST_READ_ONLY, 0);
}

Test(request_build, of_a_group_with_many_keys_nothing_is_promised)
{
    char keys[TENDON__GROUP_KEYS_MAX + 1];
    memset(keys, 'k', sizeof keys);
    for (uint32_t count = 1; count <= TENDON__GROUP_KEYS_MAX + 1; count++) {
        tendon_bytes words[TENDON__GROUP_KEYS_MAX + 2] = {{"DEL", 3}};
        for (uint32_t i = 1; i <= count; i++)
            words[i] = (tendon_bytes){keys, i}; /* as long as none of the others */
        struct build build;
        ask(&build, "DEL|SADD z x");
        build.asked[0].args = words;
        build.asked[0].arg_count = 1 + count;
        cr_assert_eq(make(&build), TENDON_OK, "%s", build.fault.text);
        cr_assert_eq(!(build.request->flags & TENDON_REQUEST_IDEMPOTENT),
                     count + 1 >= TENDON__GROUP_KEYS_MAX, "%u keys", count + 1);
        drop(&build);
    }
}

Test(request_build, a_caller_may_declare_a_group_repeatable_but_only_all_of_it)
{
    for (uint32_t asked = 0; asked < 4; asked++) {
        struct build build;
        ask(&build, "SREM k x|SADD k x");
        for (uint32_t member = 0; member < 2; member++)
            if (asked & 1u << member)
                build.asked[member].flags |= TENDON_REQUEST_IDEMPOTENT;
        cr_assert_eq(make(&build), TENDON_OK);
        cr_assert_eq(!!(build.request->flags & TENDON_REQUEST_IDEMPOTENT), asked == 3);
        drop(&build);
    }
}

Test(request_build, flags_of_one_member_do_not_speak_for_the_others)
{
    for (uint32_t member = 0; member < 2; member++) {
        struct build build;
        ask(&build, "INCR a|INCR a");
        build.asked[member].flags |= TENDON_REQUEST_READ_ONLY | TENDON_REQUEST_IDEMPOTENT;
        cr_assert_eq(make(&build), TENDON_OK);
        cr_assert_eq(build.request->flags & (TENDON_REQUEST_READ_ONLY | TENDON_REQUEST_IDEMPOTENT),
                     0);
        drop(&build);
        build.asked[member].flags = (build.asked[member].flags & ~3u) | TENDON_REQUEST_NO_RETRY;
        cr_assert_eq(make(&build), TENDON_OK);
        cr_assert(build.request->flags & TENDON_REQUEST_NO_RETRY);
        drop(&build);
    }
}

Test(request_build, a_caller_may_declare_a_command_repeatable)
{
    struct build build;
    ask(&build, "MODULE.CMD a");
    build.asked[0].flags = TENDON_REQUEST_IDEMPOTENT;
    cr_assert_eq(make(&build), TENDON_OK);
    cr_assert(build.request->flags & TENDON_REQUEST_IDEMPOTENT);
    drop(&build);
}

/* On a lane others use, a group must leave the connection as it found it and be all or nothing. */
Test(request_build, groups_that_would_leave_state_behind_are_refused)
{
    static const char *const groups[] = {
        "MULTI|INCR a",        "MULTI|MULTI",          "WATCH a|GET a",
        "INCR a|MULTI|EXEC",   "MULTI|EXEC|GET a",     "EXEC|GET a",
        "MULTI|SELECT 1|EXEC", "GET a|SELECT 1",       "MULTI|EXEC|MULTI|EXEC",
        "MULTI|HELLO 2|EXEC",  "MULTI|DISCARD|INCR a", "MULTI|INCR a|WATCH a"};
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        expect_refused(groups[i], TENDON_ERROR_STATE);
}

Test(request_build, single_commands_that_would_change_a_shared_connection_are_refused)
{
    static const char *const commands[] = {"MULTI",   "EXEC",     "WATCH a", "UNWATCH",
                                           "DISCARD", "SELECT 1", "AUTH x",  "HELLO 3",
                                           "RESET",   "QUIT",     "multi",   "sElEcT 1"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        expect_refused(commands[i], TENDON_ERROR_STATE);
    expect_refused("SUBSCRIBE c", TENDON_ERROR_UNSUPPORTED);
    expect_refused("MONITOR", TENDON_ERROR_UNSUPPORTED);
    expect_refused("CLIENT REPLY OFF", TENDON_ERROR_UNSUPPORTED);
}

Test(request_build, a_blocking_member_outside_multi_gets_a_connection_of_its_own)
{
    expect_flags("GET a|BLPOP a 1", TENDON_REQUEST_BLOCKING, 0);
    expect_flags("MULTI|BLPOP a 1|EXEC", 0, TENDON_REQUEST_BLOCKING);
}

Test(request_build, malformed_requests_are_refused)
{
    struct build build;
    ask(&build, "GET a");
    build.asked[0].struct_size = 8;
    cr_assert_eq(make(&build), TENDON_ERROR_ARGUMENT);
    ask(&build, "GET a");
    build.asked[0].route = 99;
    cr_assert_eq(make(&build), TENDON_ERROR_ARGUMENT);
    ask(&build, "GET a");
    build.asked[0].flags = 1u << 31; /* internal flags must not come from outside */
    cr_assert_eq(make(&build), TENDON_ERROR_ARGUMENT);
    ask(&build, "GET a");
    build.asked[0].route = TENDON_ROUTE_SLOT;
    build.asked[0].slot = 16384;
    cr_assert_eq(make(&build), TENDON_ERROR_ARGUMENT);
    ask(&build, "GET a");
    build.asked[0].route = TENDON_ROUTE_NODE;
    cr_assert_eq(make(&build), TENDON_ERROR_ARGUMENT);
    drop(&build);
    ask(&build, "GET a");
    build.asked[0].arg_count = 0;
    cr_assert_eq(make(&build), TENDON_ERROR_ARGUMENT);
    ask(&build, "GET a");
    build.args[0][1] = (tendon_bytes){NULL, 5};
    cr_assert_eq(make(&build), TENDON_ERROR_ARGUMENT);
    ask(&build, "GET a");
    build.asked[0].args = NULL;
    cr_assert_eq(make(&build), TENDON_ERROR_ARGUMENT);
    ask(&build, "GET a");
    build.asked[0].arg_count = TENDON__ARGS_MAX + 1;
    cr_assert_eq(make(&build), TENDON_ERROR_LIMIT);
    ask(&build, "GET a");
    build.options.max_request_bytes = 1;
    cr_assert_eq(make(&build), TENDON_ERROR_LIMIT);
    drop(&build);
}

Test(request_build, the_slot_comes_from_keys_or_route)
{
    struct build build;
    ask(&build, "GET foo");
    cr_assert_eq(make(&build), TENDON_OK);
    cr_assert_eq(build.request->slot, 12182);
    drop(&build);
    ask(&build, "PING");
    cr_assert_eq(make(&build), TENDON_OK);
    cr_assert_eq(build.request->slot, TENDON__NO_SLOT);
    drop(&build);
    ask(&build, "MULTI|PING|GET foo|EXEC");
    cr_assert_eq(make(&build), TENDON_OK);
    cr_assert_eq(build.request->slot, 12182);
    drop(&build);
    ask(&build, "MGET foo bar");
    build.asked[0].route = TENDON_ROUTE_SLOT;
    build.asked[0].slot = 5;
    cr_assert_eq(make(&build), TENDON_OK);
    cr_assert_eq(build.request->slot, 5);
    cr_assert_eq(build.request->flags & TENDON__REQUEST_CROSS_SLOT, 0);
    drop(&build);
}

static int64_t timeout_of(const char *command, int64_t asked_ms, int64_t command_ms,
                          int64_t read_ms)
{
    struct build build;
    ask(&build, command);
    build.asked[0].timeout_ms = asked_ms;
    build.options.command_timeout_ms = command_ms;
    build.options.read_timeout_ms = read_ms;
    cr_assert_eq(make(&build), TENDON_OK, "%s", build.fault.text);
    int64_t timeout_ns = build.request->timeout_ns;
    drop(&build);
    return timeout_ns;
}

Test(request_build, deadlines)
{
    cr_assert_eq(timeout_of("GET a", 0, 700, 0), 700 * TENDON__MS);
    cr_assert_eq(timeout_of("GET a", 50, 700, 0), 50 * TENDON__MS);
    cr_assert_eq(timeout_of("GET a", TENDON_TIMEOUT_NONE, 700, 0), TENDON__NO_TIME);
    cr_assert_eq(timeout_of("GET a", INT64_MAX, 700, 0), TENDON__NO_TIME);
    cr_assert_eq(timeout_of("GET a", 0, 0, 0), TENDON__NO_TIME);
    cr_assert_gt(timeout_of("GET a", 0, 0, 100), 100 * TENDON__MS);
    cr_assert_lt(timeout_of("GET a", 0, 0, 100), TENDON__NO_TIME);
    cr_assert_eq(timeout_of("BLPOP a 2", 0, 700, 0), (700 + 2000 + 1000) * TENDON__MS);
    cr_assert_eq(timeout_of("BLPOP a 0", 0, 700, 0), TENDON__NO_TIME);
    cr_assert_eq(timeout_of("BLPOP a 1e300", 0, 700, 0) > 0, true);
    cr_assert_eq(timeout_of("BLPOP a 2", 50, 700, 0), 50 * TENDON__MS);
}

Test(request_build, spans_of_groups)
{
    struct build build;
    ask(&build, "MULTI|INCR a|EXEC");
    cr_assert_eq(tendon__request_span(build.asked, sizeof build.asked[0], 3), 3);
    cr_assert_eq(tendon__request_span(build.asked, sizeof build.asked[0], 2), 0);
    build.asked[1].flags = 0;
    cr_assert_eq(tendon__request_span(build.asked, sizeof build.asked[0], 3), 0);
    cr_assert_eq(tendon__request_span(build.asked + 1, sizeof build.asked[0], 2), 1);
}

Test(request_build, memory_failing_at_every_allocation)
{
    static uint32_t sizes[40];
    char packed[40];
    memset(packed, 'x', sizeof packed);
    for (size_t i = 0; i < 40; i++)
        sizes[i] = 1;
    for (long n = 1;; n++) {
        struct build build;
        ask(&build, "MULTI|SET a|EXEC");
        build.asked[1].args = NULL;
        build.asked[1].packed = packed;
        build.asked[1].packed_sizes = sizes;
        build.asked[1].arg_count = 40;
        build.asked[0].route = TENDON_ROUTE_NODE;
        build.asked[0].node = (tendon_bytes){"n:1", 3};
        build.memory.refuse_from = n;
        tendon_status status = make(&build);
        cr_assert(status == TENDON_OK || status == TENDON_ERROR_NO_MEMORY, "%s", build.fault.text);
        drop(&build);
        if (status == TENDON_OK)
            break;
        cr_assert_lt(n, 50);
    }
}
