package io.tendon.jedis.exceptions;

import io.tendon.jedis.HostAndPort;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Error replies of a server to exceptions. */
public final class ServerErrors {
    private static final Pattern REDIRECTION =
            Pattern.compile("(?:MOVED|ASK) (\\d{1,5}) (\\S*:\\d{1,5})");

    private ServerErrors() {
    }

    /** The exception for the text of an error reply, such as "WRONGTYPE Operation against ...". */
    public static JedisDataException reply(String text) {
        int blank = text.indexOf(' ');
        String prefix = blank < 0 ? text : text.substring(0, blank);
        Executed executed = Refusals.CODES.contains(prefix) ? Executed.NO : Executed.UNKNOWN;
        JedisDataException exception = exception(prefix, text);
        exception.with(new Failure(Failure.NONE, executed, 1, 0, text, prefix, ""));
        return exception;
    }

    static JedisDataException exception(String prefix, String text) {
        return switch (prefix) {
            case "MOVED" -> new JedisMovedDataException(text, node(text), slot(text));
            case "ASK" -> new JedisAskDataException(text, node(text), slot(text));
            case "CLUSTERDOWN" -> new JedisClusterException(text);
            case "BUSY" -> new JedisBusyException(text);
            case "NOSCRIPT" -> new JedisNoScriptException(text);
            case "NOPROTO" -> new JedisProtocolNotSupportedException(text);
            case "NOAUTH", "WRONGPASS", "NOPERM" -> new JedisAccessControlException(text);
            default -> new JedisDataException(text);
        };
    }

    /** The node named in "MOVED slot host:port", or null. */
    private static HostAndPort node(String text) {
        Matcher found = REDIRECTION.matcher(text);
        return found.matches() ? HostAndPort.from(found.group(2)) : null;
    }

    /** The slot named in "MOVED slot host:port", or -1. */
    private static int slot(String text) {
        Matcher found = REDIRECTION.matcher(text);
        return found.matches() ? Integer.parseInt(found.group(1)) : -1;
    }
}
