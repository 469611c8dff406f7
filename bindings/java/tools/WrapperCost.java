import io.tendon.jedis.BuilderFactory;
import io.tendon.jedis.CommandArguments;
import io.tendon.jedis.HostAndPort;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.Protocol.Command;
import java.lang.management.ManagementFactory;
import java.util.Arrays;

/**
 * What a generated method costs beside executeCommand with the same words: processor time of the
 * calling thread, both by turns. `java -cp tendon.jar bindings/java/tools/WrapperCost.java host
 * port`.
 */
public final class WrapperCost {
    private static final int ROUNDS = 61;
    private static final int CALLS = 4000;

    private static double microseconds(Runnable call) {
        var threads = ManagementFactory.getThreadMXBean();
        long start = threads.getCurrentThreadCpuTime();
        for (int i = 0; i < CALLS; i++) {
            call.run();
        }
        return (threads.getCurrentThreadCpuTime() - start) / 1e3 / CALLS;
    }

    private static void compare(String name, Runnable method, Runnable generic) {
        double[] ratios = new double[ROUNDS];
        double[] costs = new double[ROUNDS];
        for (int i = -ROUNDS; i < ROUNDS; i++) {
            boolean first = (i & 1) == 0;
            double one = microseconds(first ? method : generic);
            double other = microseconds(first ? generic : method);
            if (i >= 0) {
                costs[i] = first ? one : other;
                ratios[i] = first ? one / other : other / one;
            }
        }
        Arrays.sort(ratios);
        Arrays.sort(costs);
        System.out.printf("%-8s %.2f us, %.3f of executeCommand%n", name, costs[ROUNDS / 2],
                ratios[ROUNDS / 2]);
    }

    public static void main(String[] arguments) {
        var server = new HostAndPort(arguments[0], Integer.parseInt(arguments[1]));
        try (JedisPooled client = new JedisPooled(server)) {
            String key = "java:cost";
            client.set(key, "x".repeat(100));
            compare("get", () -> client.get(key), () -> client.executeCommand(
                    new CommandArguments(Command.GET).add(key), BuilderFactory.STRING));
            compare("set", () -> client.set(key, "value"), () -> client.executeCommand(
                    new CommandArguments(Command.SET).add(key).add("value"),
                    BuilderFactory.STRING));
            compare("expire", () -> client.expire(key, 100), () -> client.executeCommand(
                    new CommandArguments(Command.EXPIRE).add(key).add(100), BuilderFactory.LONG));
            compare("exists", () -> client.exists(key, key), () -> client.executeCommand(
                    new CommandArguments(Command.EXISTS).add(key).add(key), BuilderFactory.LONG));
            client.del(key);
        }
    }
}
