package io.tendon.jedis.tests;

import io.tendon.jedis.resps.ScanResult;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.Collection;
import java.util.Map;

/** Whether a value, with all that it holds, is of a declared type with its parameters. */
final class TypeCheck {
    private static final Map<Class<?>, Class<?>> BOXES = Map.of(
            long.class, Long.class, int.class, Integer.class, double.class, Double.class,
            boolean.class, Boolean.class);

    private TypeCheck() {
    }

    static boolean fits(Type type, Object value) {
        if (value == null) {
            return true;
        }
        if (type instanceof Class<?> plain) {
            return BOXES.getOrDefault(plain, plain).isInstance(value);
        }
        ParameterizedType made = (ParameterizedType) type;
        return fits(made.getRawType(), value) && partsFit(made.getActualTypeArguments(), value);
    }

    private static boolean partsFit(Type[] parts, Object value) {
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream().allMatch(entry -> partsFit(parts, entry));
        }
        if (value instanceof Map.Entry<?, ?> entry) {
            return fits(parts[0], entry.getKey()) && fits(parts[1], entry.getValue());
        }
        Collection<?> elements = value instanceof ScanResult<?> scan ? scan.getResult()
                                                                    : (Collection<?>) value;
        return elements.stream().allMatch(element -> fits(parts[0], element));
    }
}
