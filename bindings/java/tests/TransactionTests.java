package io.tendon.jedis.tests;

import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisPool;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.Response;
import io.tendon.jedis.Transaction;
import io.tendon.jedis.exceptions.Executed;
import io.tendon.jedis.exceptions.JedisDataException;
import java.util.List;

/** MULTI, EXEC, DISCARD and WATCH. */
final class TransactionTests {
    private static final String P = "java:transaction:";

    private static void use(Transaction transaction) {
        transaction.del(P + "a");
        Response<Long> incr = transaction.incr(P + "a");
        Response<String> get = transaction.get(P + "a");
        Check.fails(IllegalStateException.class, get::get);
        Check.equal(3, transaction.exec().size());
        Check.equal(1L, incr.get());
        Check.equal("1", get.get());
    }

    @Case
    void exec() {
        try (Jedis jedis = Servers.jedis()) {
            use(jedis.multi());
            Check.equal("PONG", jedis.ping());
        }
        try (JedisPooled client = new JedisPooled(Servers.address("standalone"))) {
            use(client.multi());
            try (Transaction transaction = client.transaction(true)) {
                use(transaction);
            }
            Check.equal(0, client.getNumActive());
        }
    }

    @Case
    void errorsAreInTheList() {
        try (Jedis jedis = Servers.jedis()) {
            Transaction transaction = jedis.multi();
            transaction.set(P + "b", "x");
            Response<Long> wrong = transaction.incr(P + "b");
            List<Object> results = transaction.exec();
            Check.equal("OK", results.get(0));
            Check.that(results.get(1) instanceof JedisDataException, "the error is in the list");
            Check.fails(JedisDataException.class, wrong::get);
        }
    }

    @Case
    void refusedCommandAbortsAll() {
        try (Jedis jedis = Servers.jedis()) {
            jedis.del(P + "c");
            Transaction transaction = jedis.multi();
            Response<String> set = transaction.set(P + "c", "x");
            transaction.sendCommand(() -> "NOSUCH".getBytes(), "x");
            JedisDataException error = Check.fails(JedisDataException.class, transaction::exec);
            Check.contains(error.getMessage(), "EXECABORT");
            Check.equal(Executed.NO, error.executed());
            Check.contains(error.getSuppressed()[0].getMessage(), "unknown command");
            Check.fails(JedisDataException.class, set::get);
            Check.equal(null, jedis.get(P + "c"));
        }
    }

    @Case
    void watchedKeyChanged() {
        try (Jedis jedis = Servers.jedis(); Jedis other = Servers.jedis()) {
            jedis.set(P + "d", "1");
            Check.equal("OK", jedis.watch(P + "d"));
            other.set(P + "d", "2");
            Transaction transaction = jedis.multi();
            transaction.set(P + "d", "3");
            Check.equal(null, transaction.exec());
            Check.equal("2", jedis.get(P + "d"));
            jedis.watch(P + "d");
            Check.equal("OK", jedis.unwatch());
            other.set(P + "d", "4");
            Transaction again = jedis.multi();
            again.set(P + "d", "5");
            Check.equal(List.of("OK"), again.exec());
        }
    }

    @Case
    void watchInJedisPooled() {
        try (JedisPooled client = new JedisPooled(Servers.address("standalone"))) {
            client.set(P + "e", "1");
            try (Transaction transaction = client.transaction(false)) {
                Check.equal("OK", transaction.watch(P + "e"));
                Check.equal("1", transaction.get(P + "e").get());
                client.set(P + "e", "2");
                transaction.multi();
                transaction.set(P + "e", "3");
                Check.equal(null, transaction.exec());
            }
            Check.equal("2", client.get(P + "e"));
            Check.equal(0, client.getNumActive());
        }
    }

    @Case
    void discard() {
        try (Jedis jedis = Servers.jedis()) {
            jedis.set(P + "f", "1");
            Transaction transaction = jedis.multi();
            transaction.set(P + "f", "2");
            Check.equal("OK", transaction.discard());
            Check.equal("1", jedis.get(P + "f"));
            Check.fails(IllegalStateException.class, transaction::exec);
            try (Transaction closed = jedis.multi()) {
                closed.set(P + "f", "2");
            }
            Check.equal("1", jedis.get(P + "f"));
        }
    }

    @Case
    void jedisWaitsForItsTransaction() {
        try (JedisPool pool = Servers.pool(1)) {
            try (Jedis jedis = pool.getResource()) {
                jedis.multi();
                Check.fails(IllegalStateException.class, jedis::ping);
            }
            try (Jedis jedis = pool.getResource()) {
                Check.equal("PONG", jedis.ping());
            }
        }
    }
}
