/** Uses the article's RedisConnectionManager. */
public final class Article {
    private Article() {
    }

    public static void main(String[] arguments) {
        RedisConnectionManager.initialize();
        RedisConnectionManager.cacheValue("article:java:user", "{\"id\":1,\"name\":\"Ada\"}", 3600);
        String cached = RedisConnectionManager.getCachedValue("article:java:user");
        Endpoint.check(cached.equals("{\"id\":1,\"name\":\"Ada\"}"), cached);
        System.out.println("cached and read back: " + cached);
        String missing = RedisConnectionManager.getCachedValue("article:java:missing");
        Endpoint.check(missing == null, missing);
        System.out.println("a key that was never cached: " + missing);
        RedisConnectionManager.shutdown();
    }
}
