/* Records that a thread moves itself, while the session stays where it is: sealed, said, received
 * and fed back in any pieces. */
#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls_fixture.h"

#define ROOM (16384 + TENDON__TLS_SEAL_BYTES)

static uint8_t room[ROOM], heard[4 * ROOM];

static void meet(int version, enum serve_mode mode)
{
    begin();
    use(&(struct tendon__tls_options){.ca_file = ca_file, .resumption = true});
    tls_server_start(&server, folder, "server", version, false, mode, 1);
    cr_assert(dial_server("cache.test") == TENDON__DIAL_DONE, "%s", dial.fault.text);
    cr_assert(tendon__transport_let_wait(&dial.transport, 30000) && dial.transport.waits);
    if (mode == SERVE_ECHO)
        check_echo(); /* with 1.3 tickets come before it */
}

static void part_ways(void)
{
    tendon__transport_close(&dial.transport, false);
    tls_server_stop(&server);
    cr_assert(server.goodbyes == 1);
    end();
}

static void say_sealed(const void *bytes, size_t size)
{
    const void *words = tendon__transport_wrap(&dial.transport, bytes, &size, room, sizeof room);
    cr_assert(words == room && size <= sizeof room);
    cr_assert(tendon__transport_say(dial.transport.fd, words, size, &fault) == (ssize_t)size);
}

/* What arrives, until it is at least so much. */
static size_t hear(size_t least)
{
    size_t size = 0;
    while (size < least) {
        ssize_t count =
            tendon__transport_wait(dial.transport.fd, heard + size, sizeof heard - size, &fault);
        cr_assert(count > 0);
        size += (size_t)count;
    }
    return size;
}

/* Receives by hand until all of the text is there. */
static void hear_text(char *out, size_t size)
{
    size_t done = 0;
    while (done < size) {
        tendon__tls_feed(dial.transport.tls, heard, hear(1));
        ssize_t count = 1;
        while (done < size && count > 0) {
            count = tendon__transport_read(&dial.transport, out + done, size - done, &fault);
            cr_assert(count >= 0, "%s", fault.text);
            done += (size_t)count;
        }
    }
    cr_assert(!tendon__tls_fed(dial.transport.tls));
}

static void check_echo_by_hand(void)
{
    char text[5];
    say_sealed("hello", 5);
    hear_text(text, 5);
    cr_assert(!memcmp(text, "hello", 5));
}

static void check_every_cut(int version)
{
    char text[5];
    meet(version, SERVE_ECHO);
    say_sealed("hello", 5);
    size_t size = hear(5 + 5 + 16); /* every record with 5 bytes of text is as long */
    tendon__tls_feed(dial.transport.tls, heard, size);
    cr_assert(tendon__transport_read(&dial.transport, text, 5, &fault) == 5);
    for (size_t cut = 1; cut < size; cut++) {
        say_sealed("hello", 5);
        cr_assert(hear(size) == size);
        tendon__tls_feed(dial.transport.tls, heard, cut);
        cr_assert(tendon__tls_fed(dial.transport.tls));
        cr_assert(tendon__transport_read(&dial.transport, text, 5, &fault) == TENDON__IO_AGAIN);
        cr_assert(!tendon__tls_fed(dial.transport.tls) &&
                  !tendon__transport_buffered(&dial.transport));
        tendon__tls_feed(dial.transport.tls, heard + cut, size - cut);
        cr_assert(tendon__transport_buffered(&dial.transport));
        cr_assert(tendon__transport_read(&dial.transport, text, 5, &fault) == 5);
        cr_assert(!memcmp(text, "hello", 5), "cut at %zu", cut);
        cr_assert(!tendon__tls_fed(dial.transport.tls) &&
                  !tendon__transport_buffered(&dial.transport));
    }
    part_ways();
}

Test(tls_hands, cut_anywhere_1_2)
{
    check_every_cut(TLS1_2_VERSION);
}

Test(tls_hands, cut_anywhere_1_3)
{
    check_every_cut(TLS1_3_VERSION);
}

Test(tls_hands, the_largest_frame_is_one_piece)
{
    static char out[16384], in[16384];
    meet(0, SERVE_ECHO);
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (char)(i * 37 >> 6);
    for (int i = 0; i < 3; i++) {
        say_sealed(out, sizeof out);
        hear_text(in, sizeof in);
        cr_assert(!memcmp(in, out, sizeof in));
    }
    part_ways();
}

Test(tls_hands, others_write_meanwhile)
{
    char text[10];
    meet(0, SERVE_ECHO);
    say_sealed("hello", 5);
    cr_assert(write_all(&dial.transport, "world", 5, &fault) == 5);
    hear_text(text, 10);
    cr_assert(!memcmp(text, "helloworld", 10));
    part_ways();
}

/* The client's answer to a key update travels with whatever it says next, sealed or not. */
Test(tls_hands, keys_are_updated)
{
    meet(TLS1_3_VERSION, SERVE_UPDATE);
    for (int i = 0; i < 20; i++) {
        if (i % 3 == 2)
            check_echo();
        else
            check_echo_by_hand();
    }
    part_ways();
}

Test(tls_hands, leave_is_taken_before_the_wait_is_ended)
{
    meet(0, SERVE_ECHO);
    check_echo_by_hand();
    tendon__transport_end_wait(&dial.transport, true);
    ssize_t count;
    do /* the server may have taken leave as well before the stream ended */
        count = tendon__transport_wait(dial.transport.fd, room, sizeof room, &fault);
    while (count > 0);
    cr_assert(count == TENDON__IO_CLOSED);
    part_ways();
}

Test(tls_hands, nothing_is_sealed_after_the_end)
{
    size_t size = 5;
    char byte;
    meet(0, SERVE_TRUNCATE);
    while (tendon__transport_read(&dial.transport, &byte, 1, &fault) != TENDON__IO_FAILED)
        usleep(1000);
    cr_assert(!tendon__transport_wrap(&dial.transport, "hello", &size, room, sizeof room));
    cr_assert(tendon__transport_write(&dial.transport, "hello", 5, &fault) == TENDON__IO_FAILED);
    tendon__transport_close(&dial.transport, false);
    tls_server_stop(&server);
    end();
}

Test(tls_hands, too_little_room_ends_the_session)
{
    size_t size = 5;
    meet(0, SERVE_ECHO);
    cr_assert(!tendon__transport_wrap(&dial.transport, "hello", &size, room, 7));
    cr_assert(tendon__transport_write(&dial.transport, "hello", 5, &fault) == TENDON__IO_FAILED);
    tendon__transport_close(&dial.transport, true);
    tls_server_stop(&server);
    end();
}
