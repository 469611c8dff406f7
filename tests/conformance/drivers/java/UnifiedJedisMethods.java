package conformance;

import io.tendon.jedis.UnifiedJedis;

/**
 * The methods of the protocol, of a UnifiedJedis. Out of this class the build makes the same for a
 * Jedis, for pipelines and transactions (which return Responses) and for futures, because these
 * types have the same methods and no type in common that Jedis has too.
 */
final class UnifiedJedisMethods {
    private UnifiedJedisMethods() {
    }

    static Object command(UnifiedJedis client, Words words) {
        return client.sendCommand(words.command(), words.from(1));
    }

    static Object method(UnifiedJedis client, String name, Words words) {
        byte[] key = words.bytes(0);
        return switch (name) {
            case "get" -> client.get(key);
            case "set" -> client.set(key, words.bytes(1));
            case "setex" -> client.setex(key, words.integer(1), words.bytes(2));
            case "getdel" -> client.getDel(key);
            case "append" -> client.append(key, words.bytes(1));
            case "strlen" -> client.strlen(key);
            case "getrange" -> client.getrange(key, words.integer(1), words.integer(2));
            case "incrby" -> client.incrBy(key, words.integer(1));
            case "incrbyfloat" -> client.incrByFloat(key, words.number(1));
            case "mget" -> client.mget(words.from(0));
            case "mset" -> client.mset(words.from(0));
            case "del" -> client.del(words.from(0));
            case "exists" -> client.exists(words.from(0));
            case "expire" -> client.expire(key, words.integer(1));
            case "persist" -> client.persist(key);
            case "ttl" -> client.ttl(key);
            case "type" -> client.type(key);
            case "hset" -> client.hset(key, words.bytes(1), words.bytes(2));
            case "hget" -> client.hget(key, words.bytes(1));
            case "hmget" -> client.hmget(key, words.from(1));
            case "hgetall" -> client.hgetAll(key);
            case "hdel" -> client.hdel(key, words.from(1));
            case "hincrby" -> client.hincrBy(key, words.bytes(1), words.integer(2));
            case "hexists" -> client.hexists(key, words.bytes(1));
            case "lpush" -> client.lpush(key, words.from(1));
            case "rpush" -> client.rpush(key, words.from(1));
            case "lpop" -> client.lpop(key);
            case "lrange" -> client.lrange(key, words.integer(1), words.integer(2));
            case "llen" -> client.llen(key);
            case "sadd" -> client.sadd(key, words.from(1));
            case "srem" -> client.srem(key, words.from(1));
            case "smembers" -> client.smembers(key);
            case "sismember" -> client.sismember(key, words.bytes(1));
            case "smismember" -> client.smismember(key, words.from(1));
            case "zadd" -> client.zadd(key, words.number(1), words.bytes(2));
            case "zscore" -> client.zscore(key, words.bytes(1));
            case "zincrby" -> client.zincrby(key, words.number(1), words.bytes(2));
            case "zrange" -> client.zrange(key, words.integer(1), words.integer(2));
            case "zrange_withscores" ->
                client.zrangeWithScores(key, words.integer(1), words.integer(2));
            case "zrank" -> client.zrank(key, words.bytes(1));
            case "zcard" -> client.zcard(key);
            default -> throw new Broken("there is no method " + name);
        };
    }
}
