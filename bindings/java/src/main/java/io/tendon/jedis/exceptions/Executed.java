package io.tendon.jedis.exceptions;

/** Whether the server executed a command that failed. */
public enum Executed {
    /** Provably not: never fully sent, or refused. Sending it again is safe. */
    NO,
    /** It was; what failed came after. */
    YES,
    /** It was fully sent and no answer was seen. */
    UNKNOWN
}
