/*
 * Fuzz target: the whole engine against hostile servers. The input is a script: what a program
 * asks, what servers say in which pieces, what breaks, and how time passes. Whatever happens, each
 * call has exactly one outcome by its deadline, the engine comes to rest, no promise of a server is
 * believed before its bytes are there, and memory is balanced at the end.
 *
 * The first byte chooses the world (WORLD_* below), the second seeds the sizes of reads and writes.
 * Then come operations, a letter each with one-letter arguments; other bytes are skipped, so that a
 * script may be written with blanks and lines. See `operate`.
 */
#include "hostile_world.h"

#include <stdlib.h>
#include <string.h>

#include "client/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct script {
    const uint8_t *at;
    const uint8_t *end;
};

static const char *const said[] = {
    "+OK\r\n",
    "$1\r\nv\r\n",
    ":1\r\n",
    "+QUEUED\r\n",
    "-MOVED 12182 n1:6379\r\n",
    "-ASK 12182 n2:6379\r\n",
    "-MOVED 12182 :6379\r\n",
    "-CLUSTERDOWN Hash slot not served\r\n",
    "-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
    "-LOADING Redis is loading the dataset in memory\r\n",
    "-READONLY You can't write against a read only replica.\r\n",
    "-NOAUTH Authentication required.\r\n",
    "-EXECABORT Transaction discarded because of previous errors.\r\n",
    "*1\r\n:1\r\n",
    FUZZ_MAP,
    "*1\r\n*4\r\n:0\r\n:16383\r\n*2\r\n$2\r\nn1\r\n:6379\r\n*2\r\n$2\r\nn4\r\n:6379\r\n",
    "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.9\r\n:1\r\n",
    ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n",
    "%3\r\n+proto\r\n:3\r\n+mode\r\n+cluster\r\n+role\r\n+master\r\n",
    "*6\r\n+proto\r\n:2\r\n+mode\r\n+standalone\r\n+role\r\n+replica\r\n",
    "-ERR unknown command 'HELLO'\r\n",
    "-ERR This instance has cluster support disabled\r\n",
    "-ERR max number of clients reached\r\n",
    "_\r\n",
    "-ERR Protocol error: invalid bulk length\r\n",
    "+PONG\r\n",
};

static const char *const asked[] = {
    "GET foo",
    "SET foo 1",
    "INCR bar",
    "MULTI|INCR foo|GET foo|EXEC",
    "BLPOP foo 1",
    "PING",
    "MGET {foo}1 {foo}2",
    "EVAL x 1 foo",
    "GET hello",
    "GET foo|SET foo 2|GET foo",
    "CLUSTER INFO",
    "BLPOP bar 0",
};

static uint8_t next(struct script *script)
{
    return script->at < script->end ? *script->at++ : 0;
}

static uint32_t choice(struct script *script, size_t count)
{
    return (uint32_t)((uint8_t)(next(script) - '0') % count);
}

static uint32_t letter(struct script *script, size_t count)
{
    return (uint32_t)((uint8_t)(next(script) - 'a') % count);
}

static struct fuzz_wire *wire(struct fuzz_world *world, struct script *script)
{
    struct fuzz_wire *one = fuzz_wire_at(world, choice(script, FUZZ_WIRES));
    return one;
}

/* Bytes of the script up to a tilde. */
static void say_raw(struct fuzz_world *world, struct script *script)
{
    struct fuzz_wire *speaker = wire(world, script);
    size_t left = (size_t)(script->end - script->at);
    const uint8_t *end = left ? memchr(script->at, '~', left) : NULL;
    size_t size = end ? (size_t)(end - script->at) : left;
    if (speaker)
        fuzz_say(speaker, script->at, size);
    script->at += size + (end != NULL);
}

static void say_known(struct fuzz_world *world, struct script *script)
{
    struct fuzz_wire *speaker = wire(world, script);
    const char *text = said[letter(script, sizeof said / sizeof said[0])];
    if (speaker)
        fuzz_say(speaker, (const uint8_t *)text, strlen(text));
}

/* Steps of real time, each deadline at its moment; the driver is late in those of `T`. */
static int64_t duration_ms(struct script *script)
{
    static const int64_t steps[] = {0, 1, 5, 20, 50, 100, 300, 1000, 3000, 40000};
    return steps[choice(script, sizeof steps / sizeof steps[0])];
}

static void disturb(struct fuzz_world *world, struct script *script, uint8_t operation)
{
    struct fuzz_wire *one;
    switch (operation) {
    case 'x': /* a connection ends */
        if ((one = wire(world, script)))
            fuzz_cut(one);
        break;
    case 'o': /* a dial succeeds */
    case 'n': /* or fails */
        if ((one = wire(world, script)))
            fuzz_dialled(one, operation == 'o');
        break;
    case 'w': /* how much the sockets take: nothing, some or all */
        world->writing = choice(script, 3);
        break;
    case 'm': /* an allocation fails, or several in a row */
        world->refuse_in = 1 + choice(script, 40);
        break;
    case 'N':
        world->refuse_count = 1 + choice(script, 10);
        break;
    case 'd':
        tendon__engine_disconnect(world->engine, world->now_ns);
        break;
    case 'r':
        tendon__engine_reconnect(world->engine, (int64_t)choice(script, 5) * 10000000 - 10000000,
                                 world->now_ns);
        break;
    case 'C':
        tendon__engine_close(world->engine, world->now_ns);
        break;
    default:
        break;
    }
}

static void operate(struct fuzz_world *world, struct script *script)
{
    uint8_t operation = next(script);
    switch (operation) {
    case 'c': /* a program asks */
        fuzz_ask(world, asked[choice(script, sizeof asked / sizeof asked[0])], NULL);
        break;
    case 'e': /* on a lease */
        fuzz_ask(world, asked[choice(script, sizeof asked / sizeof asked[0])],
                 fuzz_lease_at(world, choice(script, FUZZ_LEASES)));
        break;
    case 'l':
        fuzz_lease(world);
        break;
    case 'q':
    case 'Q':
        fuzz_lease_close(world, choice(script, FUZZ_LEASES), operation == 'Q');
        break;
    case 'k':
        tendon__engine_cancel(world->engine, 1 + choice(script, FUZZ_CALLS), world->now_ns);
        break;
    case 'a': /* a server says something sensible, if not in its place */
        say_known(world, script);
        break;
    case 's': /* or anything */
        say_raw(world, script);
        break;
    case 't':
        fuzz_advance(world, duration_ms(script));
        break;
    case 'T':
        world->now_ns += duration_ms(script) * TENDON__MS;
        break;
    default:
        disturb(world, script, operation);
        break;
    }
    fuzz_settle(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct script script = {data + 2, data + size};
    struct fuzz_world *world = fuzz_world_make(data[0], data[1]);
    world->tells_secret = memmem(data, size, FUZZ_SECRET, strlen(FUZZ_SECRET)) != NULL;
    while (script.at < script.end)
        operate(world, &script);
    fuzz_world_end(world);
    return 0;
}
