package io.tendon.jedis;

import java.io.File;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds libtendon.so and libtendon_jni.so: where the properties tendon.lib and tendon.jni.path (or
 * the environment's TENDON_LIB and TENDON_JNI_PATH) say, else beside the jar, else where
 * System.loadLibrary looks.
 */
final class NativeLoader {
    private static final String CORE = "libtendon.so";
    private static final String CORE_SONAME = "libtendon.so.1";
    private static final String JNI = "libtendon_jni.so";

    private NativeLoader() {
    }

    static void load() {
        loadCore();
        String told = setting("tendon.jni.path", "TENDON_JNI_PATH");
        if (told != null) {
            System.load(absolute(told));
            return;
        }
        Path beside = beside(JNI);
        if (beside != null) {
            System.load(beside.toString());
            return;
        }
        try {
            System.loadLibrary("tendon_jni");
        } catch (UnsatisfiedLinkError error) {
            throw new UnsatisfiedLinkError(JNI
                    + " was not found beside the jar nor in java.library.path; "
                    + "build it with bindings/java/build or set -Dtendon.jni.path ("
                    + error.getMessage() + ")");
        }
    }

    /**
     * Loaded first, so that the linker has it under its soname when the JNI library asks for it.
     */
    private static void loadCore() {
        String told = setting("tendon.lib", "TENDON_LIB");
        if (told != null) {
            System.load(absolute(told));
            return;
        }
        for (String name : new String[] {CORE, CORE_SONAME}) {
            Path beside = beside(name);
            if (beside != null) {
                System.load(beside.toString());
                return;
            }
        }
    }

    private static String setting(String property, String variable) {
        String value = System.getProperty(property, System.getenv(variable));
        return value == null || value.isEmpty() ? null : value;
    }

    private static String absolute(String path) {
        return new File(path).getAbsolutePath();
    }

    private static Path beside(String name) {
        for (Path folder : folders()) {
            Path path = folder.resolve(name);
            if (Files.exists(path)) {
                return path.toAbsolutePath();
            }
        }
        return null;
    }

    /** The folder of the jar, or of the classes and its parent. */
    private static List<Path> folders() {
        List<Path> folders = new ArrayList<>();
        CodeSource source = NativeLoader.class.getProtectionDomain().getCodeSource();
        try {
            if (source != null && source.getLocation() != null) {
                Path place = Path.of(source.getLocation().toURI());
                if (Files.isDirectory(place)) {
                    folders.add(place);
                }
                folders.add(place.getParent());
            }
        } catch (URISyntaxException | IllegalArgumentException error) {
            return folders; /* classes that are not in a file, such as in a nested jar */
        }
        return folders;
    }
}
