/* The small exported functions: versions, slots, and the look at a reply. */
#include <criterion/criterion.h>
#include <string.h>

#include <tendon/tendon.h>

#include "counting_memory.h"
#include "resp/reply.h"

Test(api, tells_its_version)
{
    cr_assert_eq(tendon_abi_version(), (uint32_t)TENDON_ABI_MAJOR << 16 | TENDON_ABI_MINOR);
    cr_assert_str_eq(tendon_version(), TENDON_VERSION);
    cr_assert(tendon_tls_version()[0]);
}

Test(api, maps_keys_to_slots)
{
    cr_assert_eq(tendon_key_slot((tendon_bytes){"foo", 3}), 12182);
    cr_assert_eq(tendon_key_slot((tendon_bytes){"{foo}bar", 8}), 12182);
    cr_assert_eq(tendon_key_slot((tendon_bytes){NULL, 0}), 0);
}

Test(api, looks_at_a_reply)
{
    struct counting_memory counting = counting_memory_make();
    tendon_reply *reply = tendon__reply_text(&counting.memory, TENDON_NODE_STATUS, "OK", 2);
    struct {
        tendon_reply_view view;
        char later[8];
    } larger = {.view.struct_size = sizeof larger, .later = "abcdefg"};
    cr_assert_eq(tendon_reply_look(reply, &larger.view), TENDON_OK);
    cr_assert_eq(larger.view.struct_size, sizeof larger);
    cr_assert_str_eq(larger.later, "abcdefg");
    cr_assert_eq(larger.view.tape_version, TENDON_TAPE_VERSION);
    cr_assert_eq(larger.view.node_count, 1);
    cr_assert_eq(larger.view.nodes[0].type, TENDON_NODE_STATUS);
    cr_assert_eq(memcmp(larger.view.data + larger.view.nodes[0].value.offset, "OK", 2), 0);
    larger.view.struct_size = sizeof(tendon_reply_view);
    cr_assert_eq(tendon_reply_look(reply, &larger.view), TENDON_OK);
    larger.view.struct_size = sizeof(tendon_reply_view) - 1;
    cr_assert_eq(tendon_reply_look(reply, &larger.view), TENDON_ERROR_ARGUMENT);
    larger.view.struct_size = 0;
    cr_assert_eq(tendon_reply_look(reply, &larger.view), TENDON_ERROR_ARGUMENT);
    cr_assert_eq(tendon_reply_look(NULL, &larger.view), TENDON_ERROR_ARGUMENT);
    cr_assert_eq(tendon_reply_look(reply, NULL), TENDON_ERROR_ARGUMENT);
    tendon_reply_destroy(reply);
    tendon_reply_destroy(NULL);
    cr_assert_eq(counting.blocks, 0);
}
