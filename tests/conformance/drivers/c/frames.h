/* Frames and values on the wire of the conformance machine, as ../../PROTOCOL.md has them. */
#ifndef CONFORMANCE_FRAMES_H
#define CONFORMANCE_FRAMES_H

#include <stdbool.h>
#include <stdio.h>

#include <tendon/tendon.h>

/* What was read: words that point into `bytes`. */
struct frame {
    size_t count;
    tendon_bytes *words;
};

/* Words to be written, already as they go on the wire. A value is kept as the tokens that spell it,
 * so that it can be copied, reported and used as an argument whatever it is. */
struct text {
    char *bytes;
    size_t size, room;
    size_t words;
};

/* Ends the driver: it cannot go on, and says why. */
_Noreturn void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Memory, or the end of the driver. The memory is zeroed. */
void *allocate(size_t size);

/* Reads one frame. False at the end of the stream. */
bool frame_read(FILE *stream, struct frame *out_frame);
void frame_free(struct frame *frame);

void text_add_bytes(struct text *text, const void *bytes, size_t size);
/* Adds one word: `sign`, unless it is 0, and then the bytes. */
void text_add(struct text *text, char sign, const void *bytes, size_t size);
void text_add_words(struct text *text, const struct text *from);
void text_add_count(struct text *text, char sign, size_t count);
/* Adds an error: the library's own, its refusal to begin, or one that this driver found itself. */
void text_add_error(struct text *text, const tendon_error *error);
void text_add_status(struct text *text, tendon_status status);
void text_add_failure(struct text *text, const char *name, const char *message);
/* Adds the value that begins at a node; the index of the node after it. */
size_t text_add_node(struct text *text, const tendon_node *nodes, const uint8_t *data,
                     size_t index);
void text_add_reply(struct text *text, const tendon_reply *reply);
void text_free(struct text *text);

/* A value as an argument of a command; borrowed from the text. */
tendon_bytes text_argument(const struct text *text);

tendon_bytes bytes_of(const char *words);
bool bytes_are(tendon_bytes bytes, const char *words);

#endif
