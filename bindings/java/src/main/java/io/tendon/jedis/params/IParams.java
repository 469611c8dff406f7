package io.tendon.jedis.params;

import io.tendon.jedis.CommandArguments;

/** Optional words of a command. */
public interface IParams {
    /** Adds the words to a command. */
    void addParams(CommandArguments arguments);
}
