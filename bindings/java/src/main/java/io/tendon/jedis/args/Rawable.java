package io.tendon.jedis.args;

/** Something that is sent as bytes. */
public interface Rawable {
    /** The bytes to send. */
    byte[] getRaw();
}
