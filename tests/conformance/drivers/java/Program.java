package conformance;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.FutureTask;
import java.util.function.Function;

/** What the threads of a program share, and what they report. */
final class Program {
    private final Function<Settings, Client> connect;
    private final Map<Integer, List<List<byte[]>>> threads;
    private final Map<String, Client> clients = new ConcurrentHashMap<>();
    private final Map<String, Subscriber> subscriptions = new ConcurrentHashMap<>();
    private final Map<Integer, FutureTask<?>> running = new ConcurrentHashMap<>();
    private final List<Client> made = Collections.synchronizedList(new ArrayList<>());
    private final List<byte[]> results = Collections.synchronizedList(new ArrayList<>());

    Program(Function<Settings, Client> connect, Map<Integer, List<List<byte[]>>> threads) {
        this.connect = connect;
        this.threads = threads;
    }

    /** Executes thread 0 and waits for all others. The results are frames. */
    List<byte[]> run() {
        new ProgramThread(this, 0, instructions(0)).run();
        running.keySet().forEach(this::await);
        subscriptions.values().forEach(one -> closeQuietly(one::close));
        for (int i = made.size() - 1; i >= 0; i--) { /* leases before their clients */
            closeQuietly(made.get(i)::close);
        }
        return results;
    }

    private List<List<byte[]>> instructions(int thread) {
        return threads.getOrDefault(thread, List.of());
    }

    void report(int thread, int index, Object value) {
        results.add(Frames.result(thread, index, value));
    }

    void start(int number) {
        FutureTask<?> task = new FutureTask<>(
                new ProgramThread(this, number, instructions(number)), null);
        running.put(number, task);
        Thread thread = new Thread(task, "program-" + number);
        thread.setDaemon(true);
        thread.start();
    }

    void await(int number) {
        FutureTask<?> task = running.get(number);
        if (task == null) {
            throw new Broken("thread " + number + " was never started");
        }
        try {
            Waiting.patiently(task, "the end of thread " + number);
        } catch (Exception defect) {
            throw new Broken(defect);
        }
    }

    void connect(String name, Settings settings) {
        add(name, connect.apply(settings));
    }

    void lease(String lease, String name) {
        add(lease, client(name).lease());
    }

    private void add(String name, Client client) {
        made.add(client);
        clients.put(name, client);
    }

    Client clientOrNull(String name) {
        return clients.get(name);
    }

    Client client(String name) {
        Client client = clients.get(name);
        if (client == null) {
            throw new NoSuchElementException("there is no client " + name);
        }
        return client;
    }

    /** Nothing happens when there is no such lease. */
    void release(String lease) {
        Client client = clients.remove(lease);
        if (client != null) {
            client.close();
        }
    }

    Subscriber subscription(String name, String client) {
        return subscriptions.computeIfAbsent(name, none -> new Subscriber(client(client)));
    }

    Subscriber subscription(String name) {
        Subscriber subscription = subscriptions.get(name);
        if (subscription == null) {
            throw new NoSuchElementException("there is no subscription " + name);
        }
        return subscription;
    }

    /** Nothing happens when there is no such subscription. */
    void unsubscribeAll(String name) throws Exception {
        Subscriber subscription = subscriptions.remove(name);
        if (subscription != null) {
            subscription.close();
        }
    }

    /** What can fail, and what fails as a value in a program. */
    interface Action {
        void run() throws Exception;
    }

    /** At the end of a program, when nobody asks any more. */
    static void closeQuietly(Action close) {
        try {
            close.run();
        } catch (Exception failure) {
            /* It was closed before, or it is as good as closed. */
        }
    }
}
