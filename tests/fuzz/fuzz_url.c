/*
 * Fuzz target: any URL is read or refused; a refusal changes nothing, leaks nothing and tells no
 * password.
 *
 * The input is the URL. When it holds a byte '\1', the part before that becomes the beginning and
 * the part behind it the end of a user name and password with a known word inside.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/url.h"

#define SECRET "hunter2hunter2"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static long blocks;

static void *counting_resize(struct tendon__memory *memory, void *old, size_t size)
{
    (void)memory;
    blocks += (size != 0) - (old != NULL);
    if (size)
        return realloc(old, size);
    free(old);
    return NULL;
}

static void must(int condition)
{
    if (!condition)
        abort();
}

static void try_url(const char *url, bool secret)
{
    struct tendon__memory memory = {.resize = counting_resize};
    struct tendon__options options;
    struct tendon__options before;
    struct tendon__fault fault = {0};
    tendon__options_init(&options);
    before = options;
    tendon_status status = tendon__options_set_url(&options, &memory, url, &fault);
    must(status == TENDON_OK || status == TENDON_ERROR_URL);
    if (status == TENDON_OK) {
        (void)tendon__options_check(&options, &fault);
    } else {
        must(memcmp(&options, &before, sizeof options) == 0);
        must(fault.status == TENDON_ERROR_URL && fault.text[0]);
        must(!secret || strstr(fault.text, SECRET) == NULL);
    }
    tendon__options_free(&options, &memory);
    must(blocks == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    must(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    char *mark = memchr(text, '\1', size);
    if (!mark) {
        try_url(text, false);
        free(text);
        return 0;
    }
    *mark = '\0';
    size_t room = 2 * size + 64;
    char *url = malloc(room);
    must(url != NULL);
    /* A separator in front of the word would make it a host, path or option, which are shown. */
    if (!strpbrk(text, "@/?#") && !strstr(mark + 1, SECRET)) {
        snprintf(url, room, "redis://%s" SECRET "%s@h:x", text, mark + 1);
        try_url(url, true);
    }
    free(url);
    free(text);
    return 0;
}
