/* The command table: names, keys as the server finds them, conditions, block times, hostile
 * arguments. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "cluster/slots.h"

#define WORDS_MAX 24
#define KEYS_MAX  8

struct key_case {
    const char *words[WORDS_MAX];
    uint32_t word_count;
    const char *keys[KEYS_MAX];
    uint32_t key_count;
};

#include "command_keys.h"

/* Splits a line at its blanks; "@" is an empty argument. */
struct line {
    char text[512];
    tendon_bytes args[64];
    uint32_t count;
    struct tendon__command command;
};

static void look(struct line *line, const char *text)
{
    line->count = 0;
    strcpy(line->text, text);
    for (char *word = strtok(line->text, " "); word; word = strtok(NULL, " "))
        line->args[line->count++] = (tendon_bytes){word, strcmp(word, "@") == 0 ? 0 : strlen(word)};
    bool known = tendon__command_look(line->args, line->count, &line->command);
    cr_assert_eq(known, line->command.known, "%s", text);
}

static void expect_keys(const struct key_case *one)
{
    tendon_bytes args[WORDS_MAX];
    uint32_t found[KEYS_MAX];
    struct tendon__command command;
    for (uint32_t i = 0; i < one->word_count; i++)
        args[i] = (tendon_bytes){one->words[i], strlen(one->words[i])};
    cr_assert(tendon__command_look(args, one->word_count, &command), "%s is unknown",
              one->words[0]);
    uint32_t count = tendon__command_keys(args, one->word_count, &command, found, KEYS_MAX);
    cr_assert_eq(count, one->key_count, "%s %s: %u keys", one->words[0], one->words[1], count);
    for (uint32_t i = 0; i < count; i++)
        cr_assert_str_eq(args[found[i]].data, one->keys[i], "%s key %u", one->words[0], i);
    uint32_t first = tendon__command_first_key(args, one->word_count, &command);
    cr_assert_eq(first, count ? found[0] : 0);
}

Test(command, finds_the_keys_the_server_finds)
{
    for (size_t i = 0; i < sizeof key_cases / sizeof key_cases[0]; i++)
        expect_keys(&key_cases[i]);
}

Test(command, finds_every_name_in_either_case)
{
    for (uint32_t i = 0; i < TENDON__COMMAND_COUNT; i++) {
        const struct tendon__command_row *row = &tendon__command_table[i];
        for (int lower = 0; lower < 2; lower++) {
            char name[TENDON__COMMAND_NAME_MAX];
            struct line line;
            strcpy(name, row->name);
            for (char *at = name; *at; at++)
                *at = *at == '|' ? ' ' : lower && *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;
            look(&line, name);
            cr_assert_eq(line.command.row, row, "%s", name);
            cr_assert_eq(strlen(row->name), row->name_size);
        }
    }
}

Test(command, knows_what_it_does_not_know)
{
    static const char *const unknown[] = {
        "GETT",         "GE",  "G", "XYZZY 1 2", "CONFIG XYZZY", "CLIENT @",
        "config|get x", "[ET", "@", "GET@",      "CONFIG GETT"};
    struct line line;
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        look(&line, unknown[i]);
        uint32_t slot = 77;
        int64_t ms = 77;
        cr_assert(!line.command.known, "%s", unknown[i]);
        cr_assert_eq(line.command.flags, 0);
        cr_assert_eq(tendon__command_slot(line.args, line.count, &line.command, &slot),
                     TENDON__SLOT_NO_KEY);
        cr_assert_eq(tendon__command_first_key(line.args, line.count, &line.command), 0);
        cr_assert(!tendon__command_block_ms(line.args, line.count, &line.command, &ms));
        cr_assert(slot == 77 && ms == 77);
    }
    look(&line, "CONFIG");
    cr_assert(line.command.known);
    cr_assert(!tendon__command_look(NULL, 0, &line.command));
}

static bool has(const char *text, uint32_t flag)
{
    struct line line;
    look(&line, text);
    cr_assert(line.command.known, "%s", text);
    return (line.command.flags & flag) != 0;
}

Test(command, says_what_may_be_repeated)
{
    static const char *const yes[] = {"SET k v",          "SET k v EX 10",  "set k v px 10 xx",
                                      "SET k v KEEPTTL",  "DEL k",          "EXPIRE k 10",
                                      "EXPIRE k 10 XX",   "HSET h f v",     "SADD s m",
                                      "MSET a 1",         "SETRANGE k 0 x", "ZADD z 1 m",
                                      "ZADD z GT CH 1 m", "PING",           "CONFIG GET x",
                                      "GETEX k EX 10",    "SCRIPT LOAD x"};
    static const char *const no[] = {"SET k v NX",
                                     "SET k v GET",
                                     "SET k v ex 10 nx",
                                     "SET k v IFEQ w",
                                     "EXPIRE k 10 NX",
                                     "EXPIRE k 10 GT",
                                     "INCR k",
                                     "LPUSH l v",
                                     "APPEND k v",
                                     "GETSET k v",
                                     "ZADD z INCR 1 m",
                                     "ZADD z NX 1 m",
                                     "SETNX k v",
                                     "PUBLISH c m",
                                     "EVAL x 0",
                                     "SPOP s",
                                     "ZUNIONSTORE d 1 a",
                                     "XADD s * f v",
                                     "RENAME a b",
                                     "SETBIT k 0 1",
                                     "FLUSHALL",
                                     "EXEC",
                                     "XREADGROUP GROUP g c STREAMS s >"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        cr_assert(has(yes[i], TENDON__COMMAND_IDEMPOTENT), "%s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        cr_assert(!has(no[i], TENDON__COMMAND_IDEMPOTENT | TENDON__COMMAND_READ_ONLY), "%s", no[i]);
    cr_assert(has("GET k", TENDON__COMMAND_READ_ONLY));
    cr_assert(has("GET k", TENDON__COMMAND_REPLICA_SAFE));
    cr_assert(has("HSCAN k 0", TENDON__COMMAND_READ_ONLY));
    cr_assert(!has("HSCAN k 0", TENDON__COMMAND_REPLICA_SAFE));
    cr_assert(!has("SORT k", TENDON__COMMAND_REPLICA_SAFE));
    cr_assert(has("SHUTDOWN", TENDON__COMMAND_NO_RETRY));
    cr_assert(!has("SET k v", TENDON__COMMAND_NO_RETRY));
}

Test(command, says_what_stays_on_the_connection)
{
    static const struct {
        const char *text;
        enum tendon__command_state state;
    } cases[] = {
        {"GET k", TENDON__STATE_NONE},       {"MULTI", TENDON__STATE_MULTI},
        {"exec", TENDON__STATE_EXEC},        {"DISCARD", TENDON__STATE_DISCARD},
        {"WATCH k", TENDON__STATE_WATCH},    {"UNWATCH", TENDON__STATE_UNWATCH},
        {"SELECT 1", TENDON__STATE_SELECT},  {"RESET", TENDON__STATE_RESET},
        {"QUIT", TENDON__STATE_QUIT},        {"AUTH x", TENDON__STATE_IDENTITY},
        {"HELLO 3", TENDON__STATE_IDENTITY}, {"PSUBSCRIBE x", TENDON__STATE_SUBSCRIBE},
        {"MONITOR", TENDON__STATE_MONITOR},  {"CLIENT REPLY OFF", TENDON__STATE_REPLY},
        {"CLIENT ID", TENDON__STATE_NONE},   {"client setname x", TENDON__STATE_SETTING},
        {"READONLY", TENDON__STATE_SETTING}, {"CLIENT SETINFO lib-name x", TENDON__STATE_SETTING}};
    struct line line;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        look(&line, cases[i].text);
        cr_assert_eq(line.command.state, cases[i].state, "%s", cases[i].text);
    }
}

Test(command, reads_block_times)
{
    static const struct {
        const char *text;
        int64_t ms; /* -2: does not block */
    } cases[] = {{"BLPOP a b 5", 5000},
                 {"BLPOP a 0", -1},
                 {"BRPOP a 0.1", 100},
                 {"BRPOP a 0.0001", 1},
                 {"BRPOP a .5", 500},
                 {"BRPOP a 1e1", 10000},
                 {"BRPOP a 15E-1", 1500},
                 {"BRPOP a 2.", 2000},
                 {"BLMOVE a b LEFT RIGHT 2", 2000},
                 {"BRPOPLPUSH a b 3", 3000},
                 {"BLMPOP 1.5 1 a LEFT", 1500},
                 {"BZMPOP 0 1 a MIN", -1},
                 {"BZPOPMIN a 7", 7000},
                 {"WAIT 1 250", 250},
                 {"WAIT 1 0", -1},
                 {"WAITAOF 1 1 30", 30},
                 {"XREAD BLOCK 20 STREAMS a 0", 20},
                 {"XREAD COUNT 1 block 0 STREAMS a 0", -1},
                 {"XREAD COUNT BLOCK BLOCK 9 STREAMS a 0", 9},
                 {"XREAD STREAMS BLOCK 0", -2},
                 {"XREADGROUP GROUP BLOCK c STREAMS a >", -2},
                 {"XREADGROUP GROUP g c NOACK BLOCK 30 STREAMS a >", 30},
                 {"XREAD BLOCK", -2},
                 {"GET a", -2},
                 /* What the server refuses, it answers at once. */
                 {"BLPOP a x", 0},
                 {"BLPOP a -1", 0},
                 {"BLPOP a 1e", 0},
                 {"BLPOP a e5", 0},
                 {"BLPOP a .", 0},
                 {"BLPOP a 1e999", 0},
                 {"BLPOP a 99999999999999999999", 0},
                 {"BLPOP a 1.2.3", 0},
                 {"BLPOP", 0},
                 {"BLPOP a @", 0},
                 {"BLMPOP", 0},
                 {"WAIT 1", 0}};
    struct line line;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = -2;
        look(&line, cases[i].text);
        bool blocks = tendon__command_block_ms(line.args, line.count, &line.command, &ms);
        cr_assert_eq(blocks, cases[i].ms != -2, "%s", cases[i].text);
        cr_assert_eq(blocks, (line.command.flags & TENDON__COMMAND_BLOCKING) != 0, "%s",
                     cases[i].text);
        cr_assert_eq(ms, cases[i].ms, "%s: %lld", cases[i].text, (long long)ms);
    }
}

static enum tendon__slot_found slot_of(const char *text, uint32_t *slot)
{
    struct line line;
    look(&line, text);
    return tendon__command_slot(line.args, line.count, &line.command, slot);
}

Test(command, maps_all_keys_to_one_slot)
{
    uint32_t slot = 0;
    cr_assert_eq(slot_of("GET foo", &slot), TENDON__SLOT_ONE);
    cr_assert_eq(slot, 12182);
    cr_assert_eq(slot_of("MSET {a}1 x {a}2 y", &slot), TENDON__SLOT_ONE);
    cr_assert_eq(slot, tendon__key_slot("a", 1));
    cr_assert_eq(slot_of("MSET a x b y", &slot), TENDON__SLOT_CROSS);
    cr_assert_eq(slot_of("MSET a b a c", &slot), TENDON__SLOT_ONE);
    cr_assert_eq(slot_of("XREAD STREAMS a b 0 0", &slot), TENDON__SLOT_CROSS);
    cr_assert_eq(slot_of("EVAL x 2 {a}1 {a}2 b", &slot), TENDON__SLOT_ONE);
    cr_assert_eq(slot_of("EVAL x 3 {a}1 {a}2 b", &slot), TENDON__SLOT_CROSS);
    cr_assert_eq(slot_of("ZUNIONSTORE {a}d 2 {a}1 b", &slot), TENDON__SLOT_CROSS);
    cr_assert_eq(slot_of("SORT a STORE b", &slot), TENDON__SLOT_CROSS);
    cr_assert_eq(slot_of("SPUBLISH foo m", &slot), TENDON__SLOT_ONE);
    cr_assert_eq(slot, 12182);
    cr_assert_eq(slot_of("PUBLISH foo m", &slot), TENDON__SLOT_NO_KEY);
    cr_assert_eq(slot_of("EVAL x 0", &slot), TENDON__SLOT_NO_KEY);
    cr_assert_eq(slot_of("MIGRATE h 1 @ 0 1 KEYS {a}1 {a}2", &slot), TENDON__SLOT_ONE);
    cr_assert_eq(slot_of("GET", &slot), TENDON__SLOT_NO_KEY);
}

/* Every command with every small number of every kind of argument: nothing outside the arguments is
 * read. */
Test(command, stays_inside_hostile_arguments)
{
    static const char *const junk[] = {
        "",        "0",     "1",    "-1",    "4294967295", "99999999999999999999",
        "STREAMS", "BLOCK", "KEYS", "STORE", "GROUP",      "COUNT"};
    for (uint32_t i = 0; i < TENDON__COMMAND_COUNT; i++) {
        for (uint32_t count = 1; count <= 9; count++) {
            for (uint32_t kind = 0; kind < 24; kind++) {
                char name[TENDON__COMMAND_NAME_MAX];
                strcpy(name, tendon__command_table[i].name);
                char *bar = strchr(name, '|');
                /* On the heap, so that the sanitizer sees one argument too far. */
                tendon_bytes *args = malloc(count * sizeof *args);
                for (uint32_t a = 1; a < count; a++) {
                    const char *text = junk[(kind * 7 + a * (kind / 12 + 1)) % 12];
                    args[a] = (tendon_bytes){*text ? text : NULL, strlen(text)};
                }
                args[0] = (tendon_bytes){name, bar ? (size_t)(bar - name) : strlen(name)};
                if (bar && count > 1)
                    args[1] = (tendon_bytes){bar + 1, strlen(bar + 1)};
                struct tendon__command command;
                uint32_t slot = 0;
                uint32_t keys[16];
                int64_t ms = 0;
                tendon__command_look(args, count, &command);
                tendon__command_slot(args, count, &command, &slot);
                tendon__command_block_ms(args, count, &command, &ms);
                uint32_t found = tendon__command_keys(args, count, &command, keys, 16);
                cr_assert(found < count);
                for (uint32_t k = 0; k < found; k++)
                    cr_assert(keys[k] > 0 && keys[k] < count);
                cr_assert(slot < TENDON__SLOT_COUNT && ms >= -1);
                free(args);
            }
        }
    }
}
