#define _GNU_SOURCE /* memmem */
/*
 * The handshake: every step in one round trip, replies consumed by position. A server that does not
 * know HELLO costs one more round trip in RESP2. Optional steps may be refused, mandatory ones fail
 * the connection.
 */
#include <stdio.h>
#include <string.h>

#include "conn/conn.h"
#include "resp/encoder.h"

enum step {
    STEP_HELLO,
    STEP_AUTH,
    STEP_NAME,
    STEP_LIBRARY, /* twice: name and version */
    STEP_SELECT,
    STEP_READ_ONLY,
};

#define ARGS_MAX   8
#define FRAMES_MAX 8

struct script {
    tendon_bytes args[FRAMES_MAX][ARGS_MAX];
    uint32_t counts[FRAMES_MAX];
    uint8_t steps[FRAMES_MAX];
    uint32_t count;
    char db[16];
};

static tendon_bytes text(const char *words)
{
    return (tendon_bytes){words, strlen(words)};
}

static bool given(const char *words)
{
    return words && *words;
}

static tendon_bytes *add(struct script *script, enum step step)
{
    script->steps[script->count] = (uint8_t)step;
    return script->args[script->count++];
}

static void add_words(struct script *script, enum step step, const char *a, const char *b,
                      const char *c, const char *d)
{
    uint32_t at = script->count;
    tendon_bytes *args = add(script, step);
    const char *words[] = {a, b, c, d};
    for (uint32_t i = 0; i < 4 && words[i]; i++)
        args[script->counts[at]++] = text(words[i]);
}

static void add_hello(struct script *script, const struct tendon__session *session)
{
    uint32_t at = script->count;
    add_words(script, STEP_HELLO, "HELLO", session->resp2 ? "2" : "3", NULL, NULL);
    tendon_bytes *args = script->args[at];
    uint32_t *count = &script->counts[at];
    if (session->password_size) {
        args[(*count)++] = text("AUTH");
        args[(*count)++] = text(given(session->username) ? session->username : "default");
        args[(*count)++] = (tendon_bytes){session->password, session->password_size};
    }
    if (given(session->client_name)) {
        args[(*count)++] = text("SETNAME");
        args[(*count)++] = text(session->client_name);
    }
}

static void add_auth(struct script *script, const struct tendon__session *session)
{
    if (session->password_size) {
        uint32_t at = script->count;
        add_words(script, STEP_AUTH, "AUTH", given(session->username) ? session->username : NULL,
                  NULL, NULL);
        script->args[at][script->counts[at]++] =
            (tendon_bytes){session->password, session->password_size};
    }
    if (given(session->client_name))
        add_words(script, STEP_NAME, "CLIENT", "SETNAME", session->client_name, NULL);
}

static void write_script(struct script *script, const struct tendon__conn *conn)
{
    const struct tendon__session *session = &conn->session;
    memset(script, 0, sizeof *script);
    if (conn->hello_refused)
        add_auth(script, session);
    else
        add_hello(script, session);
    if (given(session->lib_name))
        add_words(script, STEP_LIBRARY, "CLIENT", "SETINFO", "LIB-NAME", session->lib_name);
    if (given(session->lib_name) && given(session->lib_version))
        add_words(script, STEP_LIBRARY, "CLIENT", "SETINFO", "LIB-VER", session->lib_version);
    if (session->db) {
        snprintf(script->db, sizeof script->db, "%u", session->db);
        add_words(script, STEP_SELECT, "SELECT", script->db, NULL, NULL);
    }
    if (session->read_only)
        add_words(script, STEP_READ_ONLY, "READONLY", NULL, NULL, NULL);
    if (!script->count)
        add_words(script, STEP_LIBRARY, "PING", NULL, NULL, NULL);
}

/* Encodes the whole handshake into one block and makes it the direct bytes of the stream. */
tendon_status tendon__conn_greet(struct tendon__conn *conn)
{
    struct script script;
    write_script(&script, conn);
    size_t size = 0;
    for (uint32_t i = 0; i < script.count; i++)
        size += tendon__encode_size(script.args[i], script.counts[i]);
    tendon__memory_free(conn->memory, conn->greeting);
    conn->greeting = tendon__memory_take(conn->memory, size);
    if (!conn->greeting)
        return TENDON_ERROR_NO_MEMORY;
    uint8_t *end = conn->greeting;
    for (uint32_t i = 0; i < script.count; i++)
        end = tendon__encode(end, script.args[i], script.counts[i]);
    memcpy(conn->steps, script.steps, sizeof conn->steps);
    conn->step_count = script.count;
    conn->step_index = 0;
    conn->direct = conn->greeting;
    conn->direct_bytes = size;
    conn->tx_placed += size;
    return TENDON_OK;
}

static void read_facts(struct tendon__conn *conn)
{
    struct tendon__conn_facts *facts = &conn->facts;
    const struct tendon__tape *tape = &conn->tape;
    facts->hello = true;
    int64_t protocol = 0;
    uint32_t index = tendon__tape_lookup(tape, 0, "proto");
    facts->protocol =
        index && tendon__tape_integer(tape, index, &protocol) && protocol == 2 ? 2 : 3;
    index = tendon__tape_lookup(tape, 0, "mode");
    facts->cluster = index && tendon__tape_text_is(tape, index, "cluster");
    index = tendon__tape_lookup(tape, 0, "role");
    facts->replica = index && !tendon__tape_text_is(tape, index, "master");
    index = tendon__tape_lookup(tape, 0, "version");
    tendon_bytes version = index ? tendon__tape_text(tape, index) : (tendon_bytes){"", 0};
    snprintf(facts->version, sizeof facts->version, "%.*s",
             (int)(version.size < 23 ? version.size : 23), (const char *)version.data);
}

static bool begins(tendon_bytes error, const char *words)
{
    size_t length = strlen(words);
    return error.size >= length && memcmp(error.data, words, length) == 0;
}

static bool contains(tendon_bytes error, const char *words)
{
    return memmem(error.data, error.size, words, strlen(words)) != NULL;
}

static bool unknown_command(tendon_bytes error)
{
    return begins(error, "NOPROTO") ||
           (begins(error, "ERR ") && contains(error, "unknown command"));
}

static bool about_credentials(tendon_bytes error)
{
    return begins(error, "WRONGPASS") || begins(error, "NOAUTH") || begins(error, "NOPERM") ||
           contains(error, "invalid password") || contains(error, "no password is set") ||
           contains(error, "without any password");
}

/* A proxy may quote the whole HELLO in its refusal: the password is blanked before anybody sees the
 * text. */
static void blank_secret(const struct tendon__conn *conn, char *text)
{
    const char *secret = conn->session.password;
    size_t size = conn->session.password_size;
    char *at = text;
    while (size && (at = memmem(at, strlen(at), secret, size)))
        memset(at, '*', size);
}

/* The first cause is kept: later steps of a refused login only say NOAUTH. */
static void refuse(struct tendon__conn *conn, tendon_bytes error)
{
    if (conn->handshake_fault.status)
        return;
    tendon_status status = about_credentials(error) ? TENDON_ERROR_AUTH : TENDON_ERROR_HANDSHAKE;
    if (contains(error, "max number of clients"))
        status = TENDON_ERROR_CONNECT;
    tendon__fault_server(&conn->handshake_fault, status, error.data, error.size);
    blank_secret(conn, conn->handshake_fault.text);
    size_t used = strlen(conn->handshake_fault.text);
    const char *remedy =
        status == TENDON_ERROR_AUTH
            ? (conn->session.password_size ? "; check options username and password"
                                           : "; set options username and password")
            : "";
    snprintf(conn->handshake_fault.text + used, sizeof conn->handshake_fault.text - used, "%s",
             remedy);
}

static void judge_error(struct tendon__conn *conn, enum step step, tendon_bytes error)
{
    if (step == STEP_HELLO && unknown_command(error))
        conn->hello_refused = true;
    else if (conn->hello_refused && conn->steps[0] == STEP_HELLO)
        return; /* the round of a refused HELLO is only drained; the next one counts */
    else if (step == STEP_HELLO || step == STEP_AUTH || step == STEP_SELECT ||
             begins(error, "NOAUTH"))
        refuse(conn, error);
    else if (step == STEP_READ_ONLY && !contains(error, "cluster support disabled"))
        refuse(conn, error);
}

static void end_greeting(struct tendon__conn *conn)
{
    if (conn->handshake_fault.status) {
        tendon__conn_fail(conn, &conn->handshake_fault);
        return;
    }
    if (conn->hello_refused && conn->steps[0] == STEP_HELLO) {
        conn->facts.protocol = 2;
        if (tendon__conn_greet(conn) != TENDON_OK) {
            tendon__fault_set(&conn->handshake_fault, TENDON_ERROR_NO_MEMORY,
                              "no memory for the handshake");
            tendon__conn_fail(conn, &conn->handshake_fault);
        }
        return;
    }
    tendon__conn_greeted(conn);
}

void tendon__conn_step_greeting(struct tendon__conn *conn)
{
    enum step step = (enum step)conn->steps[conn->step_index];
    const tendon_node *root = &conn->tape.nodes[0];
    if (root->type == TENDON_NODE_ERROR) {
        tendon_bytes error = tendon__tape_text(&conn->tape, 0);
        judge_error(conn, step, error);
        /* A server that is full says so once and closes: there is no point in waiting for the other
         * replies. */
        if (contains(error, "max number of clients") && conn->handshake_fault.status)
            conn->step_index = conn->step_count - 1;
    } else if (step == STEP_HELLO) {
        if (root->type != TENDON_NODE_MAP && root->type != TENDON_NODE_ARRAY) {
            tendon__fault_set(
                &conn->handshake_fault, TENDON_ERROR_PROTOCOL,
                "the answer to HELLO is not a map; does the port belong to Redis or Valkey?");
            tendon__conn_fail(conn, &conn->handshake_fault);
            return;
        }
        read_facts(conn);
    }
    if (++conn->step_index == conn->step_count)
        end_greeting(conn);
}
