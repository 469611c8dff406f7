/* The handshake as dialogues, every answer split at every byte. */
#include "conn_dialogue.h"

#define HELLO     "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"
#define LIB       "*4\r\n$6\r\nCLIENT\r\n$7\r\nSETINFO\r\n$8\r\nLIB-NAME\r\n$6\r\ntendon\r\n"
#define VERSION   "*4\r\n$6\r\nCLIENT\r\n$7\r\nSETINFO\r\n$7\r\nLIB-VER\r\n$3\r\n1.2\r\n"
#define SELECT_4  "*2\r\n$6\r\nSELECT\r\n$1\r\n4\r\n"
#define READ_ONLY "*1\r\n$8\r\nREADONLY\r\n"
#define HELLO_AUTH                                                                                 \
    "*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$7\r\ndefault\r\n$7\r\nhunter2\r\n"
#define AUTH "*2\r\n$4\r\nAUTH\r\n$7\r\nhunter2\r\n"
#define FACTS                                                                                      \
    "%7\r\n$6\r\nserver\r\n$6\r\nvalkey\r\n$7\r\nversion\r\n$5\r\n8.0.1\r\n$5\r\nproto\r\n:3\r\n$" \
    "2\r\nid\r\n:9\r\n"                                                                            \
    "$4\r\nmode\r\n$7\r\ncluster\r\n$4\r\nrole\r\n$7\r\nreplica\r\n$7\r\nmodules\r\n*0\r\n"
#define FACTS_2                                                                                    \
    "*10\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n6.2.0\r\n$5\r\nproto\r\n:2\r\n$" \
    "4\r\nmode\r\n$10"                                                                             \
    "\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
#define UNKNOWN                                                                                    \
    "-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `default`, "             \
    "`hunter2`\r\n"
#define NO_INFO                                                                                    \
    "-ERR Unknown subcommand or wrong number of arguments for 'SETINFO'. Try CLIENT HELP.\r\n"
#define LINES(...) ((const struct line[]){__VA_ARGS__, {LINE_END, NULL}})
#define SPLITS     200 /* longer than any answer here, so that the last runs see it whole */

static const struct tendon__session plain = {0};
static const struct tendon__session login = {.password = "hunter2", .password_size = 7};

static void expect_ready(const struct tendon__session *session, const struct line *lines,
                         const struct tendon__conn_facts *facts)
{
    for (size_t split = 0; split < SPLITS; split++) {
        struct dialogue talk;
        dialogue_begin(&talk, session);
        dialogue_run(&talk, lines, split);
        cr_assert_str_eq(talk.log, "ready;", "split %zu: %s %s", split, talk.log, talk.fault.text);
        cr_assert_eq(talk.conn.facts.protocol, facts->protocol);
        cr_assert_eq(talk.conn.facts.hello, facts->hello);
        cr_assert_eq(talk.conn.facts.cluster, facts->cluster);
        cr_assert_eq(talk.conn.facts.replica, facts->replica);
        cr_assert_str_eq(talk.conn.facts.version, facts->version);
        dialogue_end(&talk);
    }
}

static void expect_failed(const struct tendon__session *session, const struct line *lines,
                          tendon_status status, const char *word)
{
    for (size_t split = 0; split < SPLITS; split++) {
        struct dialogue talk;
        dialogue_begin(&talk, session);
        dialogue_run(&talk, lines, split);
        cr_assert_str_eq(talk.log, "failed;", "split %zu: %s", split, talk.log);
        cr_assert_eq(talk.fault.status, status, "split %zu: %d %s", split, talk.fault.status,
                     talk.fault.text);
        cr_assert_not_null(strstr(talk.fault.text, word), "%s", talk.fault.text);
        cr_assert_null(strstr(talk.fault.text, "hunter2"), "the password is told: %s",
                       talk.fault.text);
        dialogue_end(&talk);
    }
}

static const struct tendon__conn_facts modern = {
    .protocol = 3, .hello = true, .cluster = true, .replica = true, .version = "8.0.1"};
static const struct tendon__conn_facts old = {.protocol = 2};

Test(conn, hello_alone)
{
    expect_ready(&plain, LINES({EXPECT, HELLO}, {SEND, FACTS}), &modern);
}

Test(conn, hello_2_when_asked_for)
{
    struct tendon__session session = {.resp2 = true};
    struct tendon__conn_facts facts = {.protocol = 2, .hello = true, .version = "6.2.0"};
    expect_ready(&session, LINES({EXPECT, "*2\r\n$5\r\nHELLO\r\n$1\r\n2\r\n"}, {SEND, FACTS_2}),
                 &facts);
}

Test(conn, everything_in_one_round_trip)
{
    struct tendon__session session = {.username = "app",
                                      .password = "hunter2",
                                      .password_size = 7,
                                      .client_name = "web",
                                      .lib_name = "tendon",
                                      .lib_version = "1.2",
                                      .db = 4,
                                      .read_only = true};
    expect_ready(
        &session,
        LINES({EXPECT,
               "*7\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$7\r\nhunter2\r\n"
               "$7\r\nSETNAME\r\n$3\r\nweb\r\n" LIB VERSION SELECT_4 READ_ONLY},
              {SEND, FACTS "+OK\r\n+OK\r\n+OK\r\n+OK\r\n"}),
        &modern);
}

Test(conn, optional_steps_may_be_refused)
{
    struct tendon__session session = {
        .lib_name = "tendon", .lib_version = "1.2", .read_only = true};
    expect_ready(
        &session,
        LINES({EXPECT, HELLO LIB VERSION READ_ONLY},
              {SEND, FACTS NO_INFO NO_INFO "-ERR This instance has cluster support disabled\r\n"}),
        &modern);
}

Test(conn, pushes_during_the_handshake_are_no_answers)
{
    struct dialogue talk;
    dialogue_begin(&talk, &plain);
    dialogue_run(&talk, LINES({EXPECT, HELLO}, {SEND, ">2\r\n+a\r\n+b\r\n" FACTS}), 0);
    cr_assert_str_eq(talk.log, "push;ready;");
    dialogue_end(&talk);
}

Test(conn, old_server_costs_one_more_round_trip)
{
    struct tendon__session session = {.password = "hunter2",
                                      .password_size = 7,
                                      .client_name = "web",
                                      .lib_name = "tendon",
                                      .db = 4};
    expect_ready(
        &session,
        LINES({EXPECT,
               "*7\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$7\r\ndefault\r\n$7\r\nhunter2\r\n"
               "$7\r\nSETNAME\r\n$3\r\nweb\r\n" LIB SELECT_4},
              {SEND,
               UNKNOWN "-NOAUTH Authentication required.\r\n-NOAUTH Authentication required.\r\n"},
              {EXPECT, AUTH "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$3\r\nweb\r\n" LIB SELECT_4},
              {SEND, "+OK\r\n+OK\r\n" NO_INFO "+OK\r\n"}),
        &old);
}

Test(conn, old_server_with_nothing_to_say_is_pinged)
{
    expect_ready(&plain,
                 LINES({EXPECT, HELLO}, {SEND, UNKNOWN}, {EXPECT, "*1\r\n$4\r\nPING\r\n"},
                       {SEND, "+PONG\r\n"}),
                 &old);
}

Test(conn, protocol_3_unknown_falls_back)
{
    expect_ready(&login,
                 LINES({EXPECT, HELLO_AUTH}, {SEND, "-NOPROTO unsupported protocol version\r\n"},
                       {EXPECT, AUTH}, {SEND, "+OK\r\n"}),
                 &old);
}

Test(conn, wrong_password)
{
    expect_failed(
        &login,
        LINES({EXPECT, HELLO_AUTH},
              {SEND, "-WRONGPASS invalid username-password pair or user is disabled.\r\n"}),
        TENDON_ERROR_AUTH, "check options username and password");
}

Test(conn, no_password_where_one_is_needed)
{
    expect_failed(
        &plain,
        LINES({EXPECT, HELLO},
              {SEND, "-NOAUTH HELLO must be called with the client already authenticated\r\n"}),
        TENDON_ERROR_AUTH, "set options username and password");
    expect_failed(&plain,
                  LINES({EXPECT, HELLO}, {SEND, UNKNOWN}, {EXPECT, "*1\r\n$4\r\nPING\r\n"},
                        {SEND, "-NOAUTH Authentication required.\r\n"}),
                  TENDON_ERROR_AUTH, "set options username and password");
}

Test(conn, wrong_password_of_an_old_server)
{
    expect_failed(&login,
                  LINES({EXPECT, HELLO_AUTH}, {SEND, UNKNOWN}, {EXPECT, AUTH},
                        {SEND, "-ERR invalid password\r\n"}),
                  TENDON_ERROR_AUTH, "check options");
}

Test(conn, a_proxy_that_quotes_the_password)
{
    expect_failed(&login,
                  LINES({EXPECT, HELLO_AUTH},
                        {SEND, "-ERR unsupported: HELLO 3 AUTH default hunter2 hunter2\r\n"}),
                  TENDON_ERROR_HANDSHAKE, "unsupported");
}

Test(conn, database_out_of_range)
{
    struct tendon__session session = {.db = 4};
    expect_failed(
        &session,
        LINES({EXPECT, HELLO SELECT_4}, {SEND, FACTS "-ERR DB index is out of range\r\n"}),
        TENDON_ERROR_HANDSHAKE, "DB index");
}

Test(conn, a_full_server_is_not_waited_for)
{
    struct tendon__session session = {.lib_name = "tendon", .db = 4};
    expect_failed(
        &session,
        LINES({EXPECT, HELLO LIB SELECT_4}, {SEND, "-ERR max number of clients reached\r\n"}),
        TENDON_ERROR_CONNECT, "max number");
}

Test(conn, the_first_cause_is_told)
{
    struct tendon__session session = {
        .password = "hunter2", .password_size = 7, .lib_name = "tendon", .db = 4};
    expect_failed(
        &session,
        LINES(
            {EXPECT, HELLO_AUTH LIB SELECT_4},
            {SEND, "-WRONGPASS invalid pair\r\n-NOAUTH Authentication required.\r\n-NOAUTH x\r\n"}),
        TENDON_ERROR_AUTH, "WRONGPASS");
}

Test(conn, not_a_server_of_ours)
{
    expect_failed(&plain, LINES({EXPECT, HELLO}, {SEND, "HTTP/1.1 400 Bad Request\r\n\r\n"}),
                  TENDON_ERROR_PROTOCOL, "does the port belong");
    expect_failed(&plain, LINES({EXPECT, HELLO}, {SEND, "\x15\x03\x03\x01\x02\x02\x16"}),
                  TENDON_ERROR_PROTOCOL, "does the port belong");
    expect_failed(&plain, LINES({EXPECT, HELLO}, {SEND, "+OK\r\n"}), TENDON_ERROR_PROTOCOL,
                  "does the port belong");
}

Test(conn, more_answers_than_questions)
{
    struct dialogue talk;
    dialogue_begin(&talk, &plain);
    dialogue_run(&talk, LINES({EXPECT, HELLO}, {SEND, FACTS "+OK\r\n"}), 0);
    cr_assert_str_eq(talk.log, "ready;failed;");
    cr_assert_eq(talk.fault.status, TENDON_ERROR_PROTOCOL);
    dialogue_end(&talk);
}

Test(conn, answers_before_the_question_was_sent)
{
    struct dialogue talk;
    const uint8_t *out;
    dialogue_begin(&talk, &login);
    cr_assert_gt(tendon__conn_peek_out(&talk.conn, &out), 0);
    tendon__conn_sent(&talk.conn, 3);
    cr_assert(dialogue_say(&talk, UNKNOWN "+OK\r\n+OK\r\n+OK\r\n",
                           strlen(UNKNOWN "+OK\r\n+OK\r\n+OK\r\n")));
    size_t size;
    while ((size = tendon__conn_peek_out(&talk.conn, &out)))
        tendon__conn_sent(&talk.conn, size);
    dialogue_end(&talk);
}

Test(conn, long_names_and_versions_fit)
{
    struct dialogue talk;
    char facts[400];
    snprintf(facts, sizeof facts, "%%2\r\n+version\r\n+%0200d\r\n+mode\r\n_\r\n", 7);
    dialogue_begin(&talk, &plain);
    dialogue_run(&talk, LINES({EXPECT, HELLO}, {SEND, facts}), 0);
    cr_assert_str_eq(talk.log, "ready;");
    cr_assert_eq(strlen(talk.conn.facts.version), 23);
    dialogue_end(&talk);
}
