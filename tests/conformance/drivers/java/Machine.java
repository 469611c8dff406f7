package conformance;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Reads programs, has them executed and writes their results. */
final class Machine {
    private Machine() {
    }

    /** Until the harness says quit. {@code connect} makes the clients of the library. */
    static void serve(String name, Function<Settings, Client> connect) {
        InputStream in = new BufferedInputStream(System.in, 1 << 16);
        try (OutputStream out = new BufferedOutputStream(
                     new FileOutputStream(FileDescriptor.out), 1 << 16)) {
            out.write(Frames.frame(List.of(Frames.bytes("hello"), Frames.bytes(name))));
            out.flush();
            while (serveOne(in, out, connect)) {
                out.flush();
            }
        } catch (Exception | Error failure) {
            giveUp(failure);
        }
        System.exit(0);
    }

    /** False after quit. */
    private static boolean serveOne(InputStream in, OutputStream out,
            Function<Settings, Client> connect) throws IOException {
        Map<Integer, List<List<byte[]>>> threads = new HashMap<>();
        List<List<byte[]>> instructions = null;
        while (true) {
            List<byte[]> words = Frames.read(in);
            switch (Frames.text(words.get(0))) {
                case "quit":
                    return false;
                case "thread":
                    int thread = Integer.parseInt(Frames.text(words.get(1)));
                    instructions = threads.computeIfAbsent(thread, none -> new ArrayList<>());
                    break;
                case "run":
                    for (byte[] result : new Program(connect, threads).run()) {
                        out.write(result);
                    }
                    out.write(Frames.frame(List.of(Frames.bytes("done"))));
                    return true;
                default:
                    if (instructions == null) {
                        throw new Broken("an instruction without a thread");
                    }
                    instructions.add(words);
            }
        }
    }

    /** Ends the driver, from any thread, whatever others are doing. */
    static void giveUp(Throwable why) {
        System.err.println("conformance driver: " + why);
        why.printStackTrace();
        System.err.flush();
        Runtime.getRuntime().halt(1);
    }
}
