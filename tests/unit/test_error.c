/* Error handles: what a fault becomes, without memory too. */
#include <criterion/criterion.h>
#include <string.h>

#include "client/error.h"
#include "counting_memory.h"
#include "generated/status_table.h"

static tendon_error_view view_of(const tendon_error *error)
{
    tendon_error_view view = {.struct_size = sizeof view};
    cr_assert_eq(tendon_error_look(error, &view), TENDON_OK);
    return view;
}

Test(error, copies_the_fault)
{
    struct counting_memory counting = counting_memory_make();
    struct tendon__fault fault;
    tendon__fault_server(&fault, TENDON_ERROR_SERVER, "LOADING dataset", 15);
    fault.executed = TENDON_EXECUTED_UNKNOWN;
    strcpy(fault.node, "h:1");
    tendon_error *error = tendon__error_make(&counting.memory, &fault, 4, 1234);
    memset(&fault, 'x', sizeof fault);
    tendon_error_view view = view_of(error);
    cr_assert_eq(view.status, TENDON_ERROR_SERVER);
    cr_assert_eq(view.error_class, TENDON_CLASS_SERVER);
    cr_assert_eq(view.executed, TENDON_EXECUTED_UNKNOWN);
    cr_assert(view.attempts == 4 && view.elapsed_us == 1234 && view.reserved == 0);
    cr_assert_str_eq(view.message, "LOADING dataset");
    cr_assert_str_eq(view.prefix, "LOADING");
    cr_assert_str_eq(view.node, "h:1");
    cr_assert_eq(counting.blocks, 1);
    tendon_error_destroy(error);
    cr_assert_eq(counting.blocks, 0);
}

Test(error, fills_in_what_the_fault_leaves_out)
{
    struct counting_memory counting = counting_memory_make();
    struct tendon__fault fault = {.status = TENDON_ERROR_CLOSED};
    tendon_error *error = tendon__error_make(&counting.memory, &fault, 0, 0);
    tendon_error_view view = view_of(error);
    cr_assert_eq(view.executed, TENDON_EXECUTED_NO);
    cr_assert_str_eq(view.message, tendon_status_text(TENDON_ERROR_CLOSED));
    cr_assert_str_eq(view.node, "");
    tendon_error_destroy(error);
    cr_assert_eq(counting.blocks, 0);
}

Test(error, exists_without_memory)
{
    struct counting_memory counting = counting_memory_make();
    counting.refuse_from = 1;
    for (uint32_t executed = 0; executed <= 3; executed++) {
        struct tendon__fault fault = {.status = TENDON_ERROR_TIMEOUT, .executed = executed};
        tendon_error *error = tendon__error_make(&counting.memory, &fault, 1, 1);
        tendon_error_view view = view_of(error);
        cr_assert_eq(view.status, TENDON_ERROR_NO_MEMORY);
        cr_assert_eq(view.error_class, TENDON_CLASS_SYSTEM);
        cr_assert_eq(view.executed, executed ? executed : TENDON_EXECUTED_NO);
        cr_assert(view.message[0] && !view.prefix[0] && !view.node[0]);
        tendon_error_destroy(error);
        tendon_error_destroy(error); /* static: freeing it does nothing */
    }
    cr_assert_eq(counting.blocks, 0);
}

Test(error, checks_its_arguments)
{
    struct tendon__fault fault = {.status = TENDON_ERROR_CLOSED};
    tendon_error *error = tendon__error_make(tendon__memory_system(), &fault, 0, 0);
    tendon_error_view view = {.struct_size = sizeof view - 1};
    cr_assert_eq(tendon_error_look(error, &view), TENDON_ERROR_ARGUMENT);
    view.struct_size = sizeof view;
    cr_assert_eq(tendon_error_look(NULL, &view), TENDON_ERROR_ARGUMENT);
    cr_assert_eq(tendon_error_look(error, NULL), TENDON_ERROR_ARGUMENT);
    struct {
        tendon_error_view view;
        char later[8];
    } larger = {.view.struct_size = sizeof larger, .later = "abcdefg"};
    cr_assert_eq(tendon_error_look(error, &larger.view), TENDON_OK);
    cr_assert_str_eq(larger.later, "abcdefg");
    cr_assert_eq(larger.view.status, TENDON_ERROR_CLOSED);
    tendon_error_destroy(error);
    tendon_error_destroy(NULL);
}

Test(error, names_every_status)
{
    for (size_t i = 0; i < tendon__status_count; i++) {
        const struct tendon__status_row *row = &tendon__status_table[i];
        cr_assert_str_eq(tendon_status_name(row->status), row->name);
        cr_assert_str_eq(tendon_status_text(row->status), row->text);
    }
    cr_assert_str_eq(tendon_status_name(TENDON_OK), "OK");
    cr_assert_str_eq(tendon_status_name(12345), "UNKNOWN");
    cr_assert_str_eq(tendon_status_name(INT32_MIN), "UNKNOWN");
    cr_assert(tendon_status_text(-999)[0]);
}
