package io.tendon.jedis.tests;

import java.io.IOException;
import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Every method of Jedis in spec/surface/mirror-java.txt is here with the same parameters and
 * result, or in spec/surface/missing-java.txt with a reason.
 */
final class MirrorTests {
    static final Path SURFACE = Path.of(System.getenv("TENDON_ROOT"), "spec", "surface");
    private static final List<String> PACKAGES = List.of("io.tendon.jedis.",
            "io.tendon.jedis.params.", "io.tendon.jedis.resps.", "io.tendon.jedis.args.",
            "io.tendon.jedis.util.", "io.tendon.jedis.exceptions.");
    private static final Set<String> WRAPPED = Set.of("Pipeline", "Transaction",
            "ClusterPipeline", "AbstractPipeline", "AbstractTransaction");
    private static final Map<String, String> BOXES = Map.of(
            "Long", "long", "Double", "double", "Boolean", "boolean");

    private final List<Pattern> reasons = reasons();
    private final Set<Pattern> used = new HashSet<>();

    private static List<Pattern> reasons() {
        List<Pattern> patterns = new ArrayList<>();
        for (String line : lines("missing-java.txt")) {
            String glob = line.split(" ", 2)[0];
            patterns.add(Pattern.compile(Arrays.stream(glob.split("\\*", -1)).map(Pattern::quote)
                                                 .collect(Collectors.joining(".*"))));
        }
        return patterns;
    }

    private static List<String> lines(String file) {
        try {
            return Files.readAllLines(SURFACE.resolve(file)).stream()
                    .filter(line -> !line.isBlank() && !line.startsWith("#")).toList();
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    @Case
    void nothingIsMissing() {
        Set<String> missing = new TreeSet<>();
        for (String line : lines("mirror-java.txt")) {
            String[] words = line.split(" ");
            for (int i = 2; i < words.length; i++) {
                String signature = words[i] + "." + words[0] + words[1].substring(
                        words[1].indexOf('('));
                if (!isThere(words[i], words[0], words[1]) && !hasReason(words[0], signature)) {
                    missing.add(words[i] + "." + words[0] + " " + words[1]);
                }
            }
        }
        Check.that(missing.isEmpty(), missing.size() + " methods of Jedis are missing:\n"
                + String.join("\n", missing));
        List<Pattern> idle = reasons.stream().filter(one -> !used.contains(one)).toList();
        Check.that(idle.isEmpty(), "in missing-java.txt, but not missing: " + idle);
    }

    private boolean hasReason(String name, String signature) {
        boolean has = false;
        for (Pattern pattern : reasons) {
            if (pattern.matcher(name).matches() || pattern.matcher(signature).matches()) {
                used.add(pattern);
                has = true;
            }
        }
        return has;
    }

    private static Class<?> find(String name) {
        for (String place : PACKAGES) {
            try {
                return Class.forName(place + name.replace('.', '$'));
            } catch (ClassNotFoundException elsewhere) {
                continue;
            }
        }
        return null;
    }

    private static boolean isThere(String className, String name, String signature) {
        Class<?> type = find(className);
        if (type == null) {
            return false;
        }
        if (type.isEnum() && signature.equals(type.getSimpleName() + "()")) {
            return Arrays.stream(type.getEnumConstants())
                    .anyMatch(one -> ((Enum<?>) one).name().equals(name));
        }
        if (name.equals("new")) {
            return Arrays.stream(type.getConstructors())
                    .anyMatch(one -> parametersFit(signature, parameters(one)));
        }
        return Arrays.stream(type.getMethods())
                .filter(method -> method.getName().equals(name))
                .anyMatch(method -> fits(className, method, signature));
    }

    private static boolean fits(String className, Method method, String signature) {
        int open = signature.indexOf('(');
        String result = simple(signature.substring(0, open));
        return parametersFit(signature.substring(open), parameters(method))
                && (result.length() == 1 || result.equals(shown(className, method))
                        || returns(method.getReturnType(), result));
    }

    private static String simple(String types) {
        return types.replace("...", "[]").replaceAll("\\w+\\.(?=\\w)", "");
    }

    private static String parameters(Executable method) {
        return Arrays.stream(method.getParameterTypes()).map(Class::getSimpleName)
                .collect(Collectors.joining(",", "(", ")"));
    }

    /** A type parameter is anything. */
    private static boolean parametersFit(String wanted, String ours) {
        String[] theirs = simple(wanted).split("[(),]");
        String[] mine = ours.split("[(),]");
        boolean fit = theirs.length == mine.length;
        for (int i = 0; fit && i < theirs.length; i++) {
            fit = theirs[i].equals(mine[i]) || theirs[i].matches("[A-Z](\\[\\])?");
        }
        return fit;
    }

    /** Jedis returns a base of what ours returns; its builders have one that ours need not. */
    private static boolean returns(Class<?> ours, String wanted) {
        boolean found = wanted.endsWith("ClientBuilder") && ours.getSimpleName().equals("Builder");
        for (Class<?> one = ours; one != null && !found; one = one.getSuperclass()) {
            found = one.getSimpleName().equals(wanted);
        }
        return found;
    }

    private static String shown(String className, Method method) {
        Class<?> result = method.getReturnType();
        if (WRAPPED.contains(className) && result.getSimpleName().equals("Response")) {
            String inner = ((ParameterizedType) method.getGenericReturnType())
                                   .getActualTypeArguments()[0].getTypeName();
            inner = inner.replaceAll("<.*>", "").replaceAll("(\\w+[.$])+", "");
            return BOXES.getOrDefault(inner, inner);
        }
        String name = result.getSimpleName();
        return BOXES.getOrDefault(name, name);
    }
}
