package io.tendon.jedis;

/** Changes the keys of all commands of a client, for example by a prefix. */
public interface CommandKeyArgumentPreProcessor {
    /** What to send in place of a key: a String, byte[] or Rawable. */
    Object actualKey(Object key);
}
