/* Error replies to reactions: real wordings, near misses, malformed redirects, every cut. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/redirect.h"

/* In a block of exact size, so that a sanitizer sees the first byte read behind it. */
static enum tendon__reaction react_sized(const char *text, size_t size,
                                         struct tendon__redirect *redirect)
{
    char *exact = malloc(size ? size : 1);
    cr_assert_not_null(exact);
    memcpy(exact, text, size);
    enum tendon__reaction reaction = tendon__react(exact, size, redirect);
    free(exact);
    return reaction;
}

static enum tendon__reaction react(const char *text)
{
    struct tendon__redirect redirect = {.slot = 77, .port = 77, .host = "untouched"};
    enum tendon__reaction reaction = react_sized(text, strlen(text), &redirect);
    if (reaction != TENDON__REACT_MOVED && reaction != TENDON__REACT_ASK) {
        cr_assert_eq(redirect.slot, 77, "%s", text);
        cr_assert_eq(redirect.port, 77, "%s", text);
        cr_assert_str_eq(redirect.host, "untouched", "%s", text);
    }
    return reaction;
}

static void expect(const char *text, enum tendon__reaction expected)
{
    enum tendon__reaction reaction = react(text);
    cr_assert_eq(reaction, expected, "%s: got %d, expected %d", text, (int)reaction, (int)expected);
}

static void expect_redirect(const char *text, enum tendon__reaction expected, uint32_t slot,
                            const char *host, uint16_t port)
{
    struct tendon__redirect redirect;
    cr_assert_eq(react_sized(text, strlen(text), &redirect), expected, "%s", text);
    cr_assert_eq(redirect.slot, slot, "%s", text);
    cr_assert_str_eq(redirect.host, host, "%s", text);
    cr_assert_eq(redirect.port, port, "%s", text);
}

Test(redirect, moved_and_ask)
{
    expect_redirect("MOVED 3999 127.0.0.1:6381", TENDON__REACT_MOVED, 3999, "127.0.0.1", 6381);
    expect_redirect("ASK 0 10.0.0.9:1", TENDON__REACT_ASK, 0, "10.0.0.9", 1);
    expect_redirect("MOVED 16383 rg-0001-002.rg.abc123.use1.cache.amazonaws.com:65535",
                    TENDON__REACT_MOVED, 16383, "rg-0001-002.rg.abc123.use1.cache.amazonaws.com",
                    65535);
}

Test(redirect, ipv6_comes_without_brackets)
{
    expect_redirect("MOVED 1 2001:db8::1:6379", TENDON__REACT_MOVED, 1, "2001:db8::1", 6379);
    expect_redirect("ASK 1 ::1:6379", TENDON__REACT_ASK, 1, "::1", 6379);
}

Test(redirect, an_empty_host_is_the_same_host)
{
    expect_redirect("MOVED 3999 :6380", TENDON__REACT_MOVED, 3999, "", 6380);
    expect_redirect("ASK 3999 :6380", TENDON__REACT_ASK, 3999, "", 6380);
}

Test(redirect, an_unknown_host_asks_for_a_new_map)
{
    expect("MOVED 3999 ?:6380", TENDON__REACT_DOWN);
    expect("ASK 3999 ?:6380", TENDON__REACT_DOWN);
    expect("MOVED 3999 ?:0", TENDON__REACT_SURFACE);
}

Test(redirect, malformed_redirects_surface)
{
    static const char *const texts[] = {
        "MO",
        "MOVED",
        "MOVED ",
        "MOVED 1",
        "MOVED 1 ",
        "MOVED  1 h:1",
        "MOVED 1  h:1",
        "MOVED 16384 h:1",
        "MOVED -1 h:1",
        "MOVED +1 h:1",
        "MOVED 1x h:1",
        "MOVED 99999999999999999999 h:1",
        "MOVED 000001 h:1",
        "MOVED 0x1 h:1",
        "MOVED __proto__ h:1",
        "MOVED 1 h",
        "MOVED 1 h:",
        "MOVED 1 :",
        "MOVED 1 h:0",
        "MOVED 1 h:65536",
        "MOVED 1 h:123456",
        "MOVED 1 h:-1",
        "MOVED 1 h:1x",
        "MOVED 1 h:1 ",
        "MOVED 1 h:1 more",
        "MOVED 1 h h:1",
        "MOVED 1 h\t:1",
        "MOVED 1 h\x7f:1",
        "MOVED 1 h\xff:1",
        "MOVED 1 h\r\n:1",
        "MOVED h:1",
        "MOVED:1 h:1",
        "moved 1 h:1",
        "MOVEDX 1 h:1",
        " MOVED 1 h:1",
        "ASK",
        "ASK 1",
        "ASK 16384 h:1",
        "ASK 1 h:0",
        "ASKING 1 h:1",
        "REDIRECT h:1",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        expect(texts[i], TENDON__REACT_SURFACE);
}

Test(redirect, host_length_is_bounded)
{
    char text[600];
    struct tendon__redirect redirect;
    for (size_t length = 250; length < 520; length++) {
        int head = snprintf(text, sizeof text, "MOVED 5 ");
        memset(text + head, 'h', length);
        memcpy(text + head + length, ":6379", 6);
        enum tendon__reaction expected =
            length <= TENDON__HOST_MAX ? TENDON__REACT_MOVED : TENDON__REACT_SURFACE;
        cr_assert_eq(react_sized(text, strlen(text), &redirect), expected, "%zu", length);
        if (length <= TENDON__HOST_MAX)
            cr_assert_eq(strlen(redirect.host), length);
    }
}

Test(redirect, nul_bytes_do_not_end_a_host)
{
    struct tendon__redirect redirect;
    cr_assert_eq(react_sized("MOVED 1 h\0i:1", 13, &redirect), TENDON__REACT_SURFACE);
    cr_assert_eq(react_sized("MOVED\0"
                             "1 h:1",
                             11, &redirect),
                 TENDON__REACT_SURFACE);
    cr_assert_eq(react_sized("BUSY\0", 5, &redirect), TENDON__REACT_SURFACE);
}

/* Every cut of a redirect is malformed, up to the one that leaves a whole port. */
Test(redirect, every_cut_is_read_within_its_size)
{
    static const char text[] = "MOVED 3999 h:6381";
    struct tendon__redirect redirect;
    size_t port_at = strlen("MOVED 3999 h:");
    for (size_t size = 0; size <= strlen(text); size++) {
        enum tendon__reaction expected =
            size > port_at ? TENDON__REACT_MOVED : TENDON__REACT_SURFACE;
        cr_assert_eq(react_sized(text, size, &redirect), expected, "%zu", size);
    }
    static const char script[] =
        "ERR Error running script (call to f_1): @user_script:1: -READONLY You can't "
        "write against a read only replica.";
    for (size_t size = 0; size < strlen(script); size++)
        react_sized(script, size, &redirect);
    cr_assert_eq(tendon__react(NULL, 0, &redirect), TENDON__REACT_SURFACE);
}

Test(redirect, readonly_in_every_wording)
{
    expect("READONLY You can't write against a read only replica.", TENDON__REACT_READ_ONLY);
    expect("READONLY You can't write against a read only slave.", TENDON__REACT_READ_ONLY);
    expect("READONLY", TENDON__REACT_READ_ONLY);
    expect("READONLY You can't write against a read only replica. script: 4ca2, on @user_script:1.",
           TENDON__REACT_READ_ONLY);
    expect("ERR Error running script (call to f_4ca2): @user_script:1: @user_script: 1: -READONLY "
           "You can't "
           "write against a read only replica. ",
           TENDON__REACT_READ_ONLY);
    expect("ERR Error running script (call to f_4ca2): @user_script:1: -READONLY You can't write "
           "against a "
           "read only slave.",
           TENDON__REACT_READ_ONLY);
}

Test(redirect, words_that_only_mention_readonly_surface)
{
    expect("READONLYISH nothing", TENDON__REACT_SURFACE);
    expect("ERR READONLY You can't write against a read only replica.", TENDON__REACT_SURFACE);
    expect("ERR unknown command '-READONLY You can't write against a read only replica.'",
           TENDON__REACT_SURFACE);
    expect("ERR Error running script (call to f_1): @user_script:1: -WRONGTYPE READONLY",
           TENDON__REACT_SURFACE);
}

Test(redirect, a_transaction_that_a_demotion_aborted)
{
    expect("EXECABORT Transaction discarded because of: READONLY You can't write against a read "
           "only replica.",
           TENDON__REACT_READ_ONLY);
    expect("EXECABORT Transaction discarded because of previous errors.", TENDON__REACT_SURFACE);
}

Test(redirect, not_now)
{
    expect("TRYAGAIN Multiple keys request during rehashing of slot", TENDON__REACT_TRY_AGAIN);
    expect("CLUSTERDOWN The cluster is down", TENDON__REACT_DOWN);
    expect("CLUSTERDOWN Hash slot not served", TENDON__REACT_DOWN);
    expect("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
           TENDON__REACT_DOWN);
    expect("LOADING Redis is loading the dataset in memory", TENDON__REACT_LOADING);
    expect("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
           TENDON__REACT_BUSY);
    expect("NOREPLICAS Not enough good replicas to write.", TENDON__REACT_BUSY);
}

Test(redirect, connections_that_end)
{
    expect("ERR max number of clients reached", TENDON__REACT_REFUSED);
    expect("ERR max number of clients + cluster connections reached", TENDON__REACT_REFUSED);
    expect("NOAUTH Authentication required.", TENDON__REACT_UNAUTHENTICATED);
    expect("ERR Protocol error: invalid multibulk length", TENDON__REACT_CLOSE);
    expect("UNBLOCKED force unblock from blocking operation, instance state changed (master -> "
           "replica?)",
           TENDON__REACT_UNBLOCKED);
}

Test(redirect, what_is_the_callers)
{
    static const char *const texts[] = {
        "",
        " ",
        "ERR",
        "ERR ",
        "ERR syntax error",
        "BUSYGROUP Consumer Group name already exists",
        "BUSYKEY Target key name already exists.",
        "UNBLOCKED client unblocked via CLIENT UNBLOCK",
        "UNBLOCKED",
        "WRONGPASS invalid username-password pair or user is disabled.",
        "NOPERM this user has no permissions to run the 'get' command",
        "CROSSSLOT Keys in request don't hash to the same slot",
        "OOM command not allowed",
        "MISCONF x",
        "NOSCRIPT No matching script.",
        "WRONGTYPE x",
        "EXECABORT x",
        "NOPROTO x",
        "DENIED x",
        "ERR unknown command 'max number of clients reached'",
        "LOADINGX",
        "LOADIN",
        "TRYAGAINST",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        expect(texts[i], TENDON__REACT_SURFACE);
}
