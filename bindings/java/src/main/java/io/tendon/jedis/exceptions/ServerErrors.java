package io.tendon.jedis.exceptions;

/** Error replies of a server to exceptions. */
public final class ServerErrors {
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
            case "MOVED" -> new JedisMovedDataException(text);
            case "ASK" -> new JedisAskDataException(text);
            case "CLUSTERDOWN" -> new JedisClusterException(text);
            case "BUSY" -> new JedisBusyException(text);
            case "NOSCRIPT" -> new JedisNoScriptException(text);
            case "NOPROTO" -> new JedisProtocolNotSupportedException(text);
            case "NOAUTH", "WRONGPASS", "NOPERM" -> new JedisAccessControlException(text);
            default -> new JedisDataException(text);
        };
    }
}
