package bench;

import io.tendon.jedis.AsyncJedis;
import io.tendon.jedis.HostAndPort;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.Pipeline;
import io.tendon.jedis.Response;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** tendon: JedisPooled for calls, AsyncJedis for futures. */
public final class Tendon implements Job.Client {
    private final JedisPooled calls;
    private final AsyncJedis futures;

    private Tendon(HostAndPort server) {
        calls = new JedisPooled(server);
        futures = new AsyncJedis(server);
    }

    public static void main(String[] args) throws Exception {
        Job job = new Job(args);
        HostAndPort server = new HostAndPort(job.words.get("host"), job.number("port"));
        job.run(new Tendon(server), "tendon", "0.1.0");
    }

    @Override
    public String get(String key) {
        return calls.get(key);
    }

    @Override
    public String set(String key, String value) {
        return calls.set(key, value);
    }

    @Override
    public List<String> mget(String[] keys) {
        return calls.mget(keys);
    }

    @Override
    public List<String> pipeline(String[] keys, String[] values) {
        List<Response<String>> replies = new ArrayList<>(keys.length);
        try (Pipeline pipe = calls.pipelined()) {
            for (int at = 0; at < keys.length; at++)
                replies.add(values == null ? pipe.get(keys[at]) : pipe.set(keys[at], values[at]));
            pipe.sync();
        }
        return replies.stream().map(Response::get).toList();
    }

    @Override
    public CompletionStage<String> getLater(String key) {
        return futures.get(key);
    }

    @Override
    public CompletionStage<String> setLater(String key, String value) {
        return futures.set(key, value);
    }
}
