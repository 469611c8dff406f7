package io.tendon.jedis;

import java.net.Socket;

/** What makes connections in Jedis. Here only a DefaultJedisSocketFactory is taken. */
public interface JedisSocketFactory {
    Socket createSocket();
}
