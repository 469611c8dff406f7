package io.tendon.jedis.commands;

import io.tendon.jedis.args.Rawable;

/** The name of a command, for sendCommand. */
public interface ProtocolCommand extends Rawable {
}
