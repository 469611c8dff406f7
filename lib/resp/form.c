/* The forms of replies, applied to a tape. One walk, one output node after the other. */
#include "resp/form.h"

#include <string.h>

#include "resp/number.h"

/* No form is nested deeper; what is goes as it came, so that a peer does not choose our stack. */
#define NESTING_MAX 32

struct walk {
    const struct tendon__tape *tape;
    uint8_t *data;
    tendon_node *out;
    uint32_t made;
    uint32_t nesting;
};

static uint32_t emit(struct walk *walk, uint16_t number, uint32_t at);

/* A pair of scalars gets a node of its own, and no scalar is in two pairs. */
size_t tendon__form_room(uint32_t node_count)
{
    return (size_t)node_count + node_count / 2 + 1;
}

static uint16_t part(const struct tendon__form *form, uint32_t index)
{
    return tendon__form_parts[form->first + index].form;
}

static uint8_t type_at(const struct walk *walk, uint32_t at)
{
    return walk->tape->nodes[at].type;
}

static uint32_t copy(struct walk *walk, uint32_t at)
{
    uint32_t next = tendon__tape_skip(walk->tape, at);
    memcpy(walk->out + walk->made, walk->tape->nodes + at, (next - at) * sizeof *walk->out);
    walk->made += next - at;
    return next;
}

/* Begins an aggregate; its span is set when it ends. */
static uint32_t open_node(struct walk *walk, uint8_t type, uint32_t size)
{
    walk->out[walk->made] = (tendon_node){.type = type, .size = size};
    return walk->made++;
}

static void close_node(struct walk *walk, uint32_t head)
{
    walk->out[head].value.span = walk->made - head;
}

static uint32_t emit_double(struct walk *walk, uint32_t at)
{
    tendon_bytes text = tendon__tape_text(walk->tape, at);
    double number;
    if (type_at(walk, at) != TENDON_NODE_STRING ||
        !tendon__number_parse_double(text.data, text.size, &number))
        return copy(walk, at);
    walk->out[walk->made++] = (tendon_node){.type = TENDON_NODE_DOUBLE, .value.number = number};
    return at + 1;
}

static uint32_t emit_verbatim(struct walk *walk, uint32_t at)
{
    const tendon_node *node = &walk->tape->nodes[at];
    bool is_string = node->type == TENDON_NODE_STRING && node->value.offset >= 4;
    uint32_t next = copy(walk, at);
    if (is_string) {
        memcpy(walk->data + node->value.offset - 4, "txt:", 4);
        walk->out[walk->made - 1].type = TENDON_NODE_VERBATIM;
    }
    return next;
}

/* The items of an aggregate that stays or becomes one of `type`, all in one form. */
static uint32_t emit_items(struct walk *walk, uint8_t type, uint16_t item, uint32_t at)
{
    uint32_t size = walk->tape->nodes[at].size;
    uint32_t head = open_node(walk, type, size);
    at++;
    for (uint32_t i = 0; i < size; i++)
        at = emit(walk, item, at);
    close_node(walk, head);
    return at;
}

static uint32_t emit_tuple(struct walk *walk, const struct tendon__form *form, uint32_t at)
{
    uint32_t size = walk->tape->nodes[at].size;
    uint32_t head = open_node(walk, TENDON_NODE_ARRAY, size);
    at++;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t index = form->rest && i >= form->count ? form->count - 1u : i;
        at = emit(walk, index < form->count ? part(form, index) : 0, at);
    }
    close_node(walk, head);
    return at;
}

/* Whether the children of an aggregate are scalars, an even number of them. */
static bool is_flat(const struct walk *walk, uint32_t at)
{
    const tendon_node *node = &walk->tape->nodes[at];
    return node->value.span == (uint64_t)node->size + 1 && node->size % 2 == 0;
}

/* An empty aggregate inside would count as a scalar. */
static bool has_only_scalars(const struct walk *walk, uint32_t at)
{
    for (uint32_t i = 1; i <= walk->tape->nodes[at].size; i++)
        if (tendon__tape_is_aggregate(walk->tape, at + i))
            return false;
    return true;
}

static uint32_t emit_pairs(struct walk *walk, const struct tendon__form *form, uint32_t at)
{
    const struct tendon__form *pair = &tendon__forms[part(form, 0)];
    uint32_t size = walk->tape->nodes[at].size;
    if (!is_flat(walk, at) || !has_only_scalars(walk, at))
        return emit_items(walk, TENDON_NODE_ARRAY, part(form, 0), at);
    uint32_t head = open_node(walk, TENDON_NODE_ARRAY, size / 2);
    at++;
    for (uint32_t i = 0; i < size / 2; i++) {
        uint32_t inner = open_node(walk, TENDON_NODE_ARRAY, 2);
        at = emit(walk, part(pair, 0), at);
        at = emit(walk, part(pair, 1), at);
        close_node(walk, inner);
    }
    close_node(walk, head);
    return at;
}

/* XREAD over RESP2 answers with an array of [key, value]. */
static bool is_nested_map(const struct walk *walk, uint32_t at)
{
    uint32_t size = walk->tape->nodes[at].size;
    uint32_t child = at + 1;
    for (uint32_t i = 0; i < size; i++) {
        const tendon_node *node = &walk->tape->nodes[child];
        if (node->type != TENDON_NODE_ARRAY || node->size != 2)
            return false;
        child = tendon__tape_skip(walk->tape, child);
    }
    return size > 0;
}

/* The form of the value behind the key at `key`. */
static uint16_t value_form(const struct walk *walk, const struct tendon__form *form, uint32_t key)
{
    if (form->kind == TENDON__FORM_MAP)
        return part(form, 0);
    for (uint32_t i = 0; i < form->count; i++) {
        const struct tendon__form_part *named = &tendon__form_parts[form->first + i];
        if (tendon__tape_text_is(walk->tape, key, tendon__form_names[named->name]))
            return named->form;
    }
    return 0;
}

static uint32_t emit_map(struct walk *walk, const struct tendon__form *form, uint32_t at)
{
    const tendon_node *node = &walk->tape->nodes[at];
    bool nested = node->type == TENDON_NODE_ARRAY && is_nested_map(walk, at);
    bool odd = node->size % 2 || (node->size && tendon__tape_is_aggregate(walk->tape, at + 1));
    if (!nested && odd)
        return copy(walk, at);
    uint32_t pairs = nested ? node->size : node->size / 2;
    uint32_t head = open_node(walk, TENDON_NODE_MAP, pairs * 2);
    at++;
    for (uint32_t i = 0; i < pairs; i++) {
        uint32_t key = at + nested;
        uint32_t value = copy(walk, key);
        at = emit(walk, value_form(walk, form, key), value);
    }
    close_node(walk, head);
    return at;
}

static uint32_t emit_aggregate(struct walk *walk, const struct tendon__form *form, uint32_t at)
{
    uint8_t type = type_at(walk, at);
    bool is_map = form->kind == TENDON__FORM_MAP || form->kind == TENDON__FORM_RECORD;
    bool is_set = form->kind == TENDON__FORM_SET;
    if (type != TENDON_NODE_ARRAY && !(is_map && type == TENDON_NODE_MAP) &&
        !(is_set && type == TENDON_NODE_SET))
        return copy(walk, at);
    switch ((enum tendon__form_kind)form->kind) {
    case TENDON__FORM_LIST:
        return emit_items(walk, TENDON_NODE_ARRAY, part(form, 0), at);
    case TENDON__FORM_SET:
        return emit_items(walk, TENDON_NODE_SET, part(form, 0), at);
    case TENDON__FORM_PAIRS:
        return emit_pairs(walk, form, at);
    case TENDON__FORM_TUPLE:
        return emit_tuple(walk, form, at);
    case TENDON__FORM_MAP:
    case TENDON__FORM_RECORD:
        return emit_map(walk, form, at);
    default:
        return copy(walk, at);
    }
}

/* Writes the subtree at `at` and returns the index behind it. */
static uint32_t emit(struct walk *walk, uint16_t number, uint32_t at)
{
    const struct tendon__form *form = &tendon__forms[number];
    bool is_aggregate = tendon__tape_is_aggregate(walk->tape, at);
    if (form->kind == TENDON__FORM_CHOICE) {
        bool is_empty = is_aggregate && !walk->tape->nodes[at].size;
        form = &tendon__forms[part(form, is_empty ? 2 : is_aggregate ? 1 : 0)];
    }
    if (form->kind == TENDON__FORM_DOUBLE)
        return emit_double(walk, at);
    if (form->kind == TENDON__FORM_VERBATIM)
        return emit_verbatim(walk, at);
    if (form->kind == TENDON__FORM_ANY || !is_aggregate || walk->nesting == NESTING_MAX)
        return copy(walk, at);
    walk->nesting++;
    at = emit_aggregate(walk, form, at);
    walk->nesting--;
    return at;
}

uint32_t tendon__form_apply(uint16_t form, const struct tendon__tape *tape, uint8_t *data,
                            tendon_node *out)
{
    struct walk walk = {.tape = tape, .data = data, .out = out};
    emit(&walk, form, 0);
    return walk.made;
}

uint32_t tendon__form_apply_each(const uint16_t *forms, uint32_t count,
                                 const struct tendon__tape *tape, uint8_t *data, tendon_node *out)
{
    struct walk walk = {.tape = tape, .data = data, .out = out};
    if (tape->nodes[0].type != TENDON_NODE_ARRAY || tape->nodes[0].size != count) {
        copy(&walk, 0);
        return walk.made;
    }
    uint32_t head = open_node(&walk, TENDON_NODE_ARRAY, count);
    uint32_t at = 1;
    for (uint32_t i = 0; i < count; i++)
        at = emit(&walk, forms[i], at);
    close_node(&walk, head);
    return walk.made;
}
