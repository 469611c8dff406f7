/* Any bytes as an error reply: no crash, and a redirect that is followed is one that makes sense.
 */
#include <stdlib.h>
#include <string.h>

#include "cluster/redirect.h"

/* As assert, but also in builds without assertions. */
#define REQUIRE(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct tendon__redirect untouched;
    struct tendon__redirect redirect;
    memset(&untouched, 0x5a, sizeof untouched);
    redirect = untouched;
    enum tendon__reaction reaction = tendon__react(bytes, size, &redirect);
    if (reaction != TENDON__REACT_MOVED && reaction != TENDON__REACT_ASK) {
        REQUIRE(memcmp(&redirect, &untouched, sizeof redirect) == 0);
        return 0;
    }
    size_t length = strnlen(redirect.host, sizeof redirect.host);
    REQUIRE(redirect.slot < TENDON__SLOT_COUNT && redirect.port > 0 && length <= TENDON__HOST_MAX);
    for (size_t i = 0; i < length; i++)
        REQUIRE(redirect.host[i] > ' ' && redirect.host[i] <= '~');
    REQUIRE(strcmp(redirect.host, "?") != 0);
    REQUIRE(size > 4 && memcmp(bytes, reaction == TENDON__REACT_ASK ? "ASK " : "MOVE", 4) == 0);
    return 0;
}
