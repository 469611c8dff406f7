package io.tendon.jedis;

import java.util.Map;
import java.util.function.Supplier;

/** Asks a program who its connections are to be. */
final class Login {
    private final Supplier<RedisCredentials> provider;

    Login(Supplier<RedisCredentials> provider) {
        this.provider = provider;
    }

    /** Puts what the provider says into options; whether it is something else than they had. */
    boolean renew(Map<String, String> options) {
        RedisCredentials given = ask();
        char[] password = given == null ? null : given.getPassword();
        boolean isOther = put(options, "username", given == null ? null : given.getUser());
        return put(options, "password", password == null ? null : new String(password)) || isOther;
    }

    private static boolean put(Map<String, String> options, String name, String value) {
        String before = value == null ? options.remove(name) : options.put(name, value);
        return value == null ? before != null : !value.equals(before);
    }

    private RedisCredentials ask() {
        if (!(provider instanceof RedisCredentialsProvider known)) {
            return provider.get();
        }
        known.prepare();
        try {
            return known.get();
        } finally {
            known.cleanUp();
        }
    }
}
