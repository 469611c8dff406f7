#include "frames.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void give_up(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("driver.c: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    _Exit(1);
}

void *allocate(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory)
        give_up("no memory");
    return memory;
}

tendon_bytes bytes_of(const char *words)
{
    return (tendon_bytes){words, strlen(words)};
}

bool bytes_are(tendon_bytes bytes, const char *words)
{
    return bytes.size == strlen(words) && memcmp(bytes.data, words, bytes.size) == 0;
}

/* ---- reading ---- */

static bool read_number(FILE *stream, size_t *out_number)
{
    return fscanf(stream, "%zu", out_number) == 1 && getc(stream) == '\n';
}

bool frame_read(FILE *stream, struct frame *out_frame)
{
    size_t count;
    if (!read_number(stream, &count))
        return false;
    *out_frame = (struct frame){count, allocate(count * sizeof(tendon_bytes))};
    for (size_t i = 0; i < count; i++) {
        size_t size;
        if (!read_number(stream, &size))
            give_up("a frame ends in the middle");
        char *bytes = allocate(size + 1);
        if (fread(bytes, 1, size, stream) != size || getc(stream) != '\n')
            give_up("a word ends in the middle");
        out_frame->words[i] = (tendon_bytes){bytes, size};
    }
    return true;
}

void frame_free(struct frame *frame)
{
    for (size_t i = 0; i < frame->count; i++)
        free((void *)(uintptr_t)frame->words[i].data);
    free(frame->words);
}

/* ---- writing ---- */

void text_add_bytes(struct text *text, const void *bytes, size_t size)
{
    if (text->size + size > text->room) {
        text->room = 2 * (text->size + size);
        text->bytes = realloc(text->bytes, text->room);
        if (!text->bytes)
            give_up("no memory");
    }
    if (size)
        memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
}

void text_add(struct text *text, char sign, const void *bytes, size_t size)
{
    char head[32];
    int length = snprintf(head, sizeof head, "%zu\n", size + (sign != 0));
    text_add_bytes(text, head, (size_t)length);
    text_add_bytes(text, &sign, sign != 0);
    text_add_bytes(text, bytes, size);
    text_add_bytes(text, "\n", 1);
    text->words++;
}

void text_add_words(struct text *text, const struct text *from)
{
    text_add_bytes(text, from->bytes, from->size);
    text->words += from->words;
}

void text_add_count(struct text *text, char sign, size_t count)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%zu", count);
    text_add(text, sign, digits, (size_t)length);
}

void text_free(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}

tendon_bytes text_argument(const struct text *text)
{
    char *word;
    size_t size = strtoul(text->bytes, &word, 10) - 1;
    char sign = word[1]; /* the line feed is before it */
    return sign == '$' || sign == ':' ? (tendon_bytes){word + 2, size} : bytes_of("other");
}

/* ---- values ---- */

static void add_words(struct text *text, const char *words)
{
    text_add(text, 0, words, strlen(words));
}

static void add_failure(struct text *text, const char *name, const char *code, const char *executed,
                        const char *message)
{
    add_words(text, "!");
    add_words(text, name);
    add_words(text, code);
    add_words(text, executed);
    add_words(text, message);
}

void text_add_failure(struct text *text, const char *name, const char *message)
{
    add_failure(text, name, "", "", message);
}

void text_add_status(struct text *text, tendon_status status)
{
    add_failure(text, tendon_status_name(status), "", "no", tendon_status_text(status));
}

void text_add_error(struct text *text, const tendon_error *error)
{
    static const char *const executed[] = {"", "no", "yes", "unknown"};
    tendon_error_view view = {.struct_size = sizeof view};
    if (tendon_error_look(error, &view) != TENDON_OK)
        give_up("an error that cannot be looked at");
    add_failure(text, tendon_status_name(view.status), view.prefix, executed[view.executed],
                view.message);
}

/* An error reply: its first word is the code. The library says nothing about its execution. */
static void add_error_reply(struct text *text, const char *message, size_t size)
{
    const char *blank = memchr(message, ' ', size);
    add_words(text, "!");
    add_words(text, "SERVER");
    text_add(text, 0, message, blank ? (size_t)(blank - message) : size);
    add_words(text, "");
    text_add(text, 0, message, size);
}

static void add_double(struct text *text, double number)
{
    char digits[40];
    int precision = 0, length;
    do /* the fewest digits that read back the same */
        length = snprintf(digits, sizeof digits, "%.*g", ++precision, number);
    while (precision < 17 && strtod(digits, NULL) != number);
    if (isnan(number)) /* which may have a sign */
        length = snprintf(digits, sizeof digits, "nan");
    text_add(text, ',', digits, (size_t)length);
}

static void add_scalar(struct text *text, const tendon_node *node, const uint8_t *data)
{
    char digits[32];
    switch (node->type) {
    case TENDON_NODE_NULL:
        add_words(text, "_");
        break;
    case TENDON_NODE_BOOLEAN:
        add_words(text, node->value.integer ? "T" : "F");
        break;
    case TENDON_NODE_INTEGER:
        snprintf(digits, sizeof digits, ":%" PRIi64, node->value.integer);
        add_words(text, digits);
        break;
    case TENDON_NODE_DOUBLE:
        add_double(text, node->value.number);
        break;
    case TENDON_NODE_BIG_NUMBER:
        text_add(text, ':', data + node->value.offset, node->size);
        break;
    case TENDON_NODE_ERROR:
        add_error_reply(text, (const char *)data + node->value.offset, node->size);
        break;
    default:
        text_add(text, '$', data + node->value.offset, node->size);
    }
}

size_t text_add_node(struct text *text, const tendon_node *nodes, const uint8_t *data, size_t index)
{
    const tendon_node *node = &nodes[index++];
    switch (node->type) {
    case TENDON_NODE_ARRAY:
    case TENDON_NODE_PUSH:
        text_add_count(text, '*', node->size);
        break;
    case TENDON_NODE_SET:
        text_add_count(text, '~', node->size);
        break;
    case TENDON_NODE_MAP:
        text_add_count(text, '%', node->size / 2);
        break;
    default:
        add_scalar(text, node, data);
        return index;
    }
    for (uint32_t i = 0; i < node->size; i++)
        index = text_add_node(text, nodes, data, index);
    return index;
}

void text_add_reply(struct text *text, const tendon_reply *reply)
{
    tendon_reply_view view = {.struct_size = sizeof view};
    if (tendon_reply_look(reply, &view) != TENDON_OK)
        give_up("a reply that cannot be looked at");
    text_add_node(text, view.nodes, view.data, 0);
}
