import io.tendon.jedis.AsyncJedis;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The article's cache for programs that do not wait: a thousand users at a time on one thread. */
public final class ArticleAsync {
    private static final int USERS = 1000;
    private static final int TTL_SECONDS = 60;

    private static AsyncJedis cache;

    private ArticleAsync() {
    }

    private static CompletableFuture<String> cacheValue(String key, String value) {
        return cache.setex(key, TTL_SECONDS, value);
    }

    /** From the cache, else from the database, which is cached for the next one. */
    private static CompletableFuture<String> user(int id) {
        String key = "article:java:async:" + id;
        return cache.get(key)
                .exceptionally(failure -> null) // Log the error but don't fail
                .thenCompose(cached -> {
                    if (cached != null) {
                        return CompletableFuture.completedFuture("cached " + cached);
                    }
                    String user = "user " + id; // from the database
                    return cacheValue(key, user).handle((ok, failure) -> "read " + user);
                });
    }

    private static void ask(String expected) {
        List<CompletableFuture<String>> users = new ArrayList<>();
        for (int id = 0; id < USERS; id++) {
            users.add(user(id));
        }
        for (int id = 0; id < USERS; id++) {
            String answer = users.get(id).join();
            Endpoint.check(answer.equals(expected + " user " + id), answer);
        }
        System.out.println(USERS + " users " + expected);
    }

    private static void forget() {
        List<CompletableFuture<Long>> all = new ArrayList<>();
        for (int id = 0; id < USERS; id++) {
            all.add(cache.del("article:java:async:" + id));
        }
        CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0])).join();
    }

    public static void main(String[] arguments) {
        Endpoint server = Endpoint.of("standalone");
        try (AsyncJedis client = new AsyncJedis(server.host(), server.port())) {
            cache = client;
            forget();
            ask("read");
            ask("cached");
        }
    }
}
