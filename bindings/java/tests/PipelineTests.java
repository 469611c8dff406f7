package io.tendon.jedis.tests;

import io.tendon.jedis.BuilderFactory;
import io.tendon.jedis.CommandArguments;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.Pipeline;
import io.tendon.jedis.Protocol;
import io.tendon.jedis.Response;
import io.tendon.jedis.exceptions.JedisDataException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Pipelines from a Jedis and from a JedisPooled. */
final class PipelineTests {
    private static final String P = "java:pipeline:";

    @Case
    void responsesAfterSync() {
        try (Jedis jedis = Servers.jedis()) {
            typed(jedis.pipelined());
        }
        try (JedisPooled client = Servers.pooled()) {
            typed(client.pipelined());
        }
    }

    private static void typed(Pipeline pipeline) {
        pipeline.del(P + "a", P + "h", P + "z");
        Response<String> set = pipeline.set(P + "a", "1");
        Response<Long> incr = pipeline.incr(P + "a");
        Response<String> get = pipeline.get(P + "a");
        Response<byte[]> none = pipeline.get((P + "none").getBytes());
        pipeline.hset(P + "h", Map.of("f", "v"));
        Response<Map<String, String>> hash = pipeline.hgetAll(P + "h");
        pipeline.zadd(P + "z", 1.5, "m");
        Response<Double> score = pipeline.zscore(P + "z", "m");
        Response<Long> wrong = pipeline.incr(P + "h");
        Response<Object> raw = pipeline.sendCommand(Protocol.Command.STRLEN, P + "a");
        Check.fails(IllegalStateException.class, get::get);
        pipeline.sync();
        Check.equal("OK", set.get());
        Check.equal(2L, incr.get());
        Check.equal("2", get.get());
        Check.equal(null, none.get());
        Check.equal(Map.of("f", "v"), hash.get());
        Check.equal(1.5, score.get());
        Check.equal(1L, raw.get());
        JedisDataException error = Check.fails(JedisDataException.class, wrong::get);
        Check.contains(error.getMessage(), "WRONGTYPE");
    }

    @Case
    void syncAndReturnAllListsErrors() {
        try (Jedis jedis = Servers.jedis(); Pipeline pipeline = jedis.pipelined()) {
            pipeline.set(P + "b", "x");
            pipeline.incr(P + "b");
            pipeline.get(P + "b");
            List<Object> all = pipeline.syncAndReturnAll();
            Check.equal("OK", all.get(0));
            Check.that(all.get(1) instanceof JedisDataException, "the error is in the list");
            Check.equal("x", all.get(2));
            Check.equal(List.of(), pipeline.syncAndReturnAll());
        }
    }

    @Case
    void manyAndLarge() {
        try (Jedis jedis = Servers.jedis()) {
            Pipeline pipeline = jedis.pipelined();
            List<Response<String>> echoes = new ArrayList<>();
            String padding = "x".repeat(100);
            for (int i = 0; i < 25_000; i++) {
                echoes.add(pipeline.echo(padding + i));
            }
            String large = "L".repeat(3_000_000);
            Response<String> big = pipeline.echo(large);
            Response<String> last = pipeline.echo("last");
            pipeline.sync();
            for (int i = 0; i < echoes.size(); i++) {
                Check.equal(padding + i, echoes.get(i).get());
            }
            Check.equal(large, big.get());
            Check.equal("last", last.get());
        }
    }

    /** One that outgrows the buffer of the thread at every place of a batch. */
    @Case
    void repliesOfEverySize() {
        try (JedisPooled client = Servers.pooled()) {
            for (int size = 1; size < 200_000; size = 3 * size + 1) {
                String text = "é".repeat(size);
                for (int place = 0; place < 3; place++) {
                    Pipeline pipeline = client.pipelined();
                    List<Response<String>> echoes = new ArrayList<>();
                    for (int i = 0; i < 3; i++) {
                        echoes.add(pipeline.echo(i == place ? text : "short" + i));
                    }
                    pipeline.sync();
                    for (int i = 0; i < 3; i++) {
                        Check.equal(i == place ? text : "short" + i, echoes.get(i).get());
                    }
                }
                Check.equal(text, client.echo(text));
            }
        }
    }

    @Case
    void aBuilderThatRefusesTheReplyConcernsItsCommandAlone() {
        try (JedisPooled client = Servers.pooled(); Pipeline pipeline = client.pipelined()) {
            Response<Long> none = pipeline.executeCommand(
                    new CommandArguments(Protocol.Command.ECHO).add("x"), BuilderFactory.LONG);
            Response<Long> number = pipeline.executeCommand(
                    new CommandArguments(Protocol.Command.ECHO).add("12"), BuilderFactory.LONG);
            pipeline.sync();
            Check.fails(NumberFormatException.class, none::get);
            Check.equal(12L, number.get());
        }
    }

    @Case
    void closeSends() {
        try (Jedis jedis = Servers.jedis()) {
            Response<String> set;
            try (Pipeline pipeline = jedis.pipelined()) {
                set = pipeline.set(P + "close", "v");
            }
            Check.equal("OK", set.get());
            jedis.del(P + "close");
        }
    }
}
