import java.lang.reflect.Array;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What every command method of Jedis does with null: one line for each parameter, and for the first
 * element of arrays. To compare with Jedis, run it with both and take the difference:
 *
 * <pre>java -cp tendon.jar bindings/java/tools/NullArguments.java io.tendon.jedis host port
 * java -cp jedis-8.0.2.jar:... bindings/java/tools/NullArguments.java redis.clients.jedis host port
 * </pre>
 */
public final class NullArguments {
    /** Methods that end the server, wait, or change what the next call needs. */
    private static final String NOT_CALLED = "shutdown.*|monitor|p?subscribe|migrate|failover|debug"
            + "|replicaof|slaveof|sync|connect|close|disconnect|quit|resetState|multi|pipelined"
            + "|get(Connection|Client)|watch|select|(bg)?save|bgrewriteaof|clientKill|flush.*"
            + "|swapDB|configSet|cluster.*|restore|auth|acl(Set|Del)User|aclLoad|module.*|wait.*"
            + "|b[lrz].*|sentinel.*|setDataSource|equals";

    private NullArguments() {
    }

    private static Object sample(Class<?> type) throws ReflectiveOperationException {
        Map<Class<?>, Object> known = Map.of(String.class, "java:null", byte[].class,
                new byte[] {1}, long.class, 1L, int.class, 1, double.class, 1.0, boolean.class,
                false, Map.class, new HashMap<>(), List.class, new ArrayList<>(), Set.class,
                new HashSet<>());
        if (known.containsKey(type)) {
            return known.get(type);
        }
        if (type.isEnum()) {
            return type.getEnumConstants()[0];
        }
        if (type.isArray()) {
            Object array = Array.newInstance(type.getComponentType(), 2);
            Array.set(array, 0, sample(type.getComponentType()));
            Array.set(array, 1, sample(type.getComponentType()));
            return array;
        }
        for (Method maker : type.getMethods()) {
            if (Modifier.isStatic(maker.getModifiers()) && maker.getParameterCount() == 0
                    && maker.getReturnType() == type) {
                return maker.invoke(null);
            }
        }
        return type.getConstructor().newInstance();
    }

    private static String outcome(Class<?> client, String[] server, Method method, Object[] values)
            throws Exception {
        try (AutoCloseable jedis = (AutoCloseable) client.getConstructor(String.class, int.class)
                        .newInstance(server[1], Integer.parseInt(server[2]))) {
            method.invoke(jedis, values);
            return "nothing";
        } catch (InvocationTargetException thrown) {
            return thrown.getCause().getClass().getSimpleName();
        }
    }

    public static void main(String[] server) throws Exception {
        Class<?> client = Class.forName(server[0] + ".Jedis");
        Set<String> lines = new TreeSet<>();
        for (Method method : client.getMethods()) {
            Class<?>[] types = method.getParameterTypes();
            boolean called = !method.isBridge() && !Modifier.isStatic(method.getModifiers())
                    && method.getDeclaringClass() != Object.class
                    && !method.getName().matches(NOT_CALLED);
            for (int i = 0; called && i < 2 * types.length; i++) {
                int place = i / 2;
                boolean inside = i % 2 == 1;
                Object[] values = new Object[types.length];
                try {
                    for (int j = 0; j < types.length; j++) {
                        values[j] = sample(types[j]);
                    }
                } catch (ReflectiveOperationException noSample) {
                    continue;
                }
                if (inside && values[place] instanceof Object[] elements) {
                    elements[0] = null;
                } else if (inside || types[place].isPrimitive()) {
                    continue;
                } else {
                    values[place] = null;
                }
                lines.add(method.getName() + Arrays.stream(types).map(Class::getSimpleName).toList()
                        + " " + place + (inside ? "[0] " : " ")
                        + outcome(client, server, method, values));
            }
        }
        lines.forEach(System.out::println);
    }
}
