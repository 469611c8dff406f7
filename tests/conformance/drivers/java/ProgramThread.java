package conformance;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.ListIterator;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;

/** Executes the instructions of one thread: its stack, and what it has open of each client. */
final class ProgramThread implements Runnable {
    /** All others come after the end of what was sent: they may use another connection. */
    private static final Set<String> WITHOUT_WAITING = Set.of("push", "dup", "swap", "pop",
            "concat", "command", "method", "batch", "batch-end", "transaction",
            "transaction-end");

    /** The instruction that pushed it, and what; which may be a future. */
    private record Entry(int index, Object value) { }

    /** A pipeline or transaction, and what it has said to each command. */
    private record Open(Commands owner, Client.Group group, List<Object> taken) { }

    private interface Call {
        Object to(Commands client) throws Exception;
    }

    private interface Opening {
        Client.Group of(Client client) throws Exception;
    }

    private final Program program;
    private final int number;
    private final List<List<byte[]>> instructions;
    private final List<Entry> stack = new ArrayList<>();
    private final Map<String, Open> groups = new HashMap<>();
    private final Map<String, Client.Watch> watches = new HashMap<>();
    private List<byte[]> words;
    private int index;
    private Commands inFlight; /* where the last future came from */

    ProgramThread(Program program, int number, List<List<byte[]>> instructions) {
        this.program = program;
        this.number = number;
        this.instructions = instructions;
    }

    @Override
    public void run() {
        try {
            for (index = 0; index < instructions.size(); index++) {
                words = instructions.get(index);
                step(word(0));
            }
            for (Entry entry : stack) {
                program.report(number, entry.index, Waiting.settled(entry.value));
            }
            groups.values().forEach(open -> Program.closeQuietly(open.group::close));
            watches.values().forEach(watch -> Program.closeQuietly(watch::close));
        } catch (RuntimeException | Error defect) {
            Machine.giveUp(new Error("thread " + number + ", instruction " + index, defect));
        }
    }

    private void step(String name) {
        if (!WITHOUT_WAITING.contains(name)) {
            settle();
        }
        switch (name) {
            case "push" -> push(values(1).get(0));
            case "dup" -> dup();
            case "swap" -> stack.add(stack.size() - 2, stack.remove(stack.size() - 1));
            case "pop" -> report(take());
            case "concat" -> concat();
            case "connect" -> connect();
            case "command" -> command();
            case "method" -> method();
            case "batch" -> open(Client::pipeline);
            case "transaction" -> open(Client::transaction);
            case "batch-end", "transaction-end" -> end();
            case "watch" -> watch();
            case "unwatch" -> unwatch();
            case "cancel" -> cancel();
            case "lease" -> pushFailure(() -> program.lease(word(1), word(2)));
            case "release" -> pushFailure(() -> program.release(word(1)));
            case "close" -> pushFailure(() -> program.client(word(1)).close());
            case "statistics" -> statistics();
            case "subscribe" -> subscribe();
            case "unsubscribe" -> unsubscribe();
            case "poll" -> push(() -> program.subscription(word(1)).poll(milliseconds(2)));
            case "unsubscribe-all" -> pushFailure(() -> program.unsubscribeAll(word(1)));
            case "sleep" -> pushFailure(() -> Thread.sleep(milliseconds(1)));
            case "start" -> program.start(Integer.parseInt(word(1)));
            case "wait" -> program.await(Integer.parseInt(word(1)));
            default -> throw new Broken("there is no instruction " + name);
        }
    }

    private String word(int place) {
        return Frames.text(words.get(place));
    }

    private long milliseconds(int place) {
        return Long.parseLong(word(place));
    }

    /** The operands from one on. */
    private List<Object> values(int from) {
        List<Object> values = new ArrayList<>(words.size() - from);
        for (byte[] operand : words.subList(from, words.size())) {
            String text = new String(operand, 1, operand.length - 1, Frames.BYTES);
            values.add(switch (operand[0]) {
                case '=' -> text.getBytes(Frames.BYTES);
                case ':' -> Long.valueOf(text);
                case ',' -> Frames.number(text);
                case '^' -> Words.argument(take().value);
                default -> throw new Broken("no operand begins with " + operand[0]);
            });
        }
        return values;
    }

    /* The stack. */

    private void push(Object value) {
        stack.add(new Entry(index, value));
    }

    /** Pushes what the work returns, or throws: every failure is a value. */
    private void push(Callable<?> work) {
        Object outcome;
        try {
            outcome = work.call();
        } catch (Exception failure) {
            outcome = failure;
        }
        push(outcome);
    }

    private void pushFailure(Program.Action work) {
        try {
            work.run();
        } catch (Exception failure) {
            push(failure);
        }
    }

    /** The top entry, its value waited for. */
    private Entry take() {
        if (stack.isEmpty()) {
            throw new Broken("the stack is empty");
        }
        Entry entry = stack.remove(stack.size() - 1);
        return new Entry(entry.index, Waiting.settled(entry.value));
    }

    /** Waits for everything that is under way. */
    private void settle() {
        for (ListIterator<Entry> at = stack.listIterator(); inFlight != null && at.hasNext();) {
            Entry entry = at.next();
            at.set(new Entry(entry.index, Waiting.settled(entry.value)));
        }
        inFlight = null;
    }

    private void dup() {
        Entry entry = take();
        stack.add(entry);
        push(entry.value);
    }

    private void report(Entry entry) {
        program.report(number, entry.index, entry.value);
    }

    private void concat() {
        String b = new String(Words.argument(take().value), Frames.BYTES);
        String a = new String(Words.argument(take().value), Frames.BYTES);
        push((a + b).getBytes(Frames.BYTES));
    }

    /* Clients and their commands. */

    private void connect() {
        Map<String, String> options = new HashMap<>();
        for (int i = 5; i < words.size(); i += 2) {
            options.put(word(i), word(i + 1));
        }
        Settings settings = Settings.of(word(2), word(3), word(4), options);
        pushFailure(() -> program.connect(word(1), settings));
    }

    private void command() {
        Words arguments = new Words(values(2));
        submit(client -> client.command(arguments), arguments.areBlocking());
    }

    private void method() {
        Words arguments = new Words(values(3));
        submit(client -> client.method(word(2), arguments), false);
    }

    private Commands target() {
        Commands watch = watches.get(word(1));
        return watch != null ? watch : program.client(word(1));
    }

    /** To the open group of the client, or at once. */
    private void submit(Call call, boolean alone) {
        Open open = groups.get(word(1));
        if (open != null) {
            try {
                open.taken.add(call.to(open.group.commands()));
            } catch (Exception refused) {
                open.taken.add(refused);
            }
            return;
        }
        Commands watch = watches.get(word(1));
        Commands owner = watch != null ? watch : program.clientOrNull(word(1));
        begin(owner, () -> call.to(target()), alone);
    }

    /**
     * Pushes a result that may be a future. The order of the program is kept by commands of one
     * client, but not by those that have a connection alone: others wait.
     */
    private void begin(Commands owner, Callable<?> work, boolean alone) {
        if (alone || owner != inFlight) {
            settle();
        }
        push(work);
        if (stack.get(stack.size() - 1).value instanceof Future) {
            inFlight = owner;
        }
        if (alone) {
            settle();
        }
    }

    /** A pipeline or transaction; if there is none, its end says why. */
    private void open(Opening opening) {
        Client.Watch watch = watches.get(word(1));
        Commands owner = null;
        Client.Group group;
        try {
            owner = target();
            group = watch != null ? watch.transaction() : opening.of((Client) owner);
        } catch (Exception failure) {
            group = new Failed(failure);
            if (watch != null) {
                Program.closeQuietly(watch::close);
            }
        }
        groups.put(word(1), new Open(owner, group, new ArrayList<>()));
    }

    private void end() {
        Open open = groups.remove(word(1));
        if (open == null) {
            throw new Broken("nothing of " + word(1) + " is open");
        }
        boolean watched = word(0).equals("transaction-end") && watches.remove(word(1)) != null;
        begin(open.owner, () -> open.group.end(open.taken), watched);
    }

    /** When that fails, everything up to the end of the watch fails as it did. */
    private void watch() {
        Client.Watch watch;
        byte[][] keys = new Words(values(2)).from(0);
        try {
            watch = program.client(word(1)).watch(keys);
        } catch (Exception failure) {
            watch = new Failed(failure);
            push(failure);
        }
        watches.put(word(1), watch);
    }

    private void unwatch() {
        Client.Watch watch = watches.remove(word(1));
        if (watch != null && !(watch instanceof Failed)) {
            pushFailure(watch::close);
        }
    }

    private void cancel() {
        Words arguments = new Words(values(3));
        push(() -> program.client(word(1)).cancel(arguments, milliseconds(2)));
        settle();
    }

    private void statistics() {
        push(() -> {
            program.client(word(1)).readStatistics();
            return "statistics";
        });
    }

    /* Subscriptions. */

    private void subscribe() {
        byte[][] names = new Words(values(4)).from(0);
        pushFailure(() -> program.subscription(word(1), word(2)).subscribe(word(3), names));
    }

    private void unsubscribe() {
        byte[][] names = new Words(values(3)).from(0);
        pushFailure(() -> program.subscription(word(1)).unsubscribe(word(2), names));
    }

    /** What could not be had. */
    private record Failed(Exception failure) implements Client.Watch, Client.Group {
        @Override
        public Object command(Words words) throws Exception {
            throw failure;
        }

        @Override
        public Object method(String name, Words words) throws Exception {
            throw failure;
        }

        @Override
        public Client.Group transaction() {
            return this;
        }

        @Override
        public Commands commands() {
            return this;
        }

        @Override
        public Object end(List<Object> taken) throws Exception {
            throw failure;
        }

        @Override
        public void close() {
        }
    }
}
