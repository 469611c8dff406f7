/* Between channel.c and probe.c: testing and cleaning a connection. */
#ifndef TENDON_CLIENT_CHANNEL_H
#define TENDON_CLIENT_CHANNEL_H

#include "client/engine.h"

/* Sends PING, or the commands that clean; ends in tendon__channel_probed or at the probe's
 * deadline. */
void tendon__channel_probe(struct tendon__channel *channel, bool clean);
/* One reply of the probe has come. */
void tendon__channel_probed(struct tendon__channel *channel, struct tendon__conn *conn, bool last);

#endif
