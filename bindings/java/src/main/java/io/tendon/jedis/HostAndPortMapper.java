package io.tendon.jedis;

/** From the address that a cluster tells to the one that is connected. */
public interface HostAndPortMapper {
    HostAndPort getHostAndPort(HostAndPort address);
}
