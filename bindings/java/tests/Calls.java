package io.tendon.jedis.tests;

import io.tendon.jedis.Jedis;
import io.tendon.jedis.util.SafeEncoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** The calls of the generated tests, and what each must come to. */
final class Calls {
    private static byte[] dump;

    /** One method with arguments. */
    static final class Call {
        final String method;
        final Class<?>[] types;
        final Supplier<Object[]> arguments;
        final Set<String> faces;
        String failsOn;
        String error;
        String since = "0";
        boolean isAlone;
        boolean isOfCluster;
        boolean reads;
        boolean mayBeNull;

        Call(String method, Class<?>[] types, Supplier<Object[]> arguments, Set<String> faces) {
            this.method = method;
            this.types = types;
            this.arguments = arguments;
            this.faces = faces;
        }

        /** The server answers with an error that begins so; {@code where} is one kind, or "". */
        Call fails(String where, String prefix) {
            if (error == null || !where.isEmpty()) {
                failsOn = failsOn == null || where.isEmpty() ? where : failsOn + where;
                error = error == null ? prefix : error + "|" + prefix;
            }
            return this;
        }

        /** The error's beginnings that are expected on this kind of server; null: none. */
        String[] errors(String where) {
            boolean here = error != null && (failsOn.isEmpty() || failsOn.contains(where));
            return here ? error.split("\\|") : null;
        }

        /** Needs a server that no other test uses. */
        Call alone() {
            isAlone = true;
            return this;
        }

        /** Needs a node of a cluster that no other test uses. */
        Call aloneInCluster() {
            isOfCluster = true;
            return alone();
        }

        /** Older servers do not know it. */
        Call since(String version) {
            since = version;
            return this;
        }

        /** Changes nothing. */
        Call reads() {
            reads = true;
            return this;
        }

        Call mayBeNull() {
            mayBeNull = true;
            return this;
        }

        @Override
        public String toString() {
            List<String> names = new ArrayList<>();
            for (Class<?> type : types) {
                names.add(type.getSimpleName());
            }
            return method + "(" + String.join(", ", names) + ")";
        }
    }

    final List<Call> all = new ArrayList<>();
    private Set<String> faces;

    void begin(String... of) {
        faces = Set.of(of);
    }

    Call call(String method, Class<?>[] types, Supplier<Object[]> arguments) {
        Call call = new Call(method, types, arguments, faces);
        all.add(call);
        return call;
    }

    static Class<?>[] types(Class<?>... types) {
        return types;
    }

    static Object[] arguments(Object... arguments) {
        return arguments;
    }

    static byte[] bytes(String text) {
        return SafeEncoder.encode(text);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static Map.Entry<byte[], byte[]>[] entries(String key, String value) {
        return new Map.Entry[] {Map.entry(bytes(key), bytes(value))};
    }

    /** What DUMP answers for a string. */
    static synchronized byte[] dump() {
        if (dump == null) {
            try (Jedis jedis = Servers.jedis()) {
                jedis.set("java:surface:dump", "hello");
                dump = jedis.dump("java:surface:dump");
                jedis.del("java:surface:dump");
            }
        }
        return dump;
    }
}
