package io.tendon.jedis;

/**
 * A pipeline of one server: of a Jedis over its connection, of a JedisPooled or RedisClient over
 * shared ones.
 */
public class Pipeline extends AbstractPipeline {
    Pipeline(Core core, Lease lease, CommandKeyArgumentPreProcessor keys) {
        super(core, lease, keys);
    }

    /** As {@code jedis.pipelined()}. */
    public Pipeline(Jedis jedis) {
        this(jedis.core, jedis.ready(), null);
    }

    /** Changes the database of the connection; only in a pipeline of a Jedis. */
    public Response<String> select(int index) {
        return executeCommand(new CommandArguments(Protocol.Command.SELECT).add(index),
                BuilderFactory.STRING);
    }
}
