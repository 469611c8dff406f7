package io.tendon.jedis;

import io.tendon.jedis.commands.ProtocolCommand;
import io.tendon.jedis.util.JedisClusterCRC16;
import io.tendon.jedis.util.SafeEncoder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Commands with keys of several slots, as one command for each slot, sent together. */
final class Split {
    private Split() {
    }

    static byte[][] bytes(String... texts) {
        return Arrays.stream(texts).map(SafeEncoder::encode).toArray(byte[][]::new);
    }

    /** Slot -> the places of its keys; every {@code step}th argument is a key. */
    private static Map<Integer, List<Integer>> places(byte[][] arguments, int step) {
        Map<Integer, List<Integer>> places = new LinkedHashMap<>();
        for (int i = 0; i < arguments.length; i += step) {
            if (arguments[i] == null) {
                throw new IllegalArgumentException("null value cannot be sent to redis");
            }
            places.computeIfAbsent(
                    JedisClusterCRC16.getSlot(arguments[i]), slot -> new ArrayList<>()).add(i);
        }
        return places;
    }

    static long sum(UnifiedJedis client, ProtocolCommand command, String... keys) {
        return sum(client, command, bytes(keys));
    }

    static long sum(UnifiedJedis client, ProtocolCommand command, byte[]... keys) {
        List<Response<Long>> parts = new ArrayList<>();
        Pipeline pipeline = client.pipelined();
        for (List<Integer> places : places(keys, 1).values()) {
            CommandArguments arguments = new CommandArguments(command);
            places.forEach(place -> arguments.add(keys[place]));
            parts.add(pipeline.executeCommand(arguments, BuilderFactory.LONG));
        }
        pipeline.sync();
        return parts.stream().mapToLong(Response::get).sum();
    }

    static List<byte[]> mget(UnifiedJedis client, byte[]... keys) {
        byte[][] values = new byte[keys.length][];
        Map<Integer, List<Integer>> slots = places(keys, 1);
        List<Response<List<byte[]>>> parts = new ArrayList<>();
        Pipeline pipeline = client.pipelined();
        for (List<Integer> places : slots.values()) {
            CommandArguments arguments = new CommandArguments(Protocol.Command.MGET);
            places.forEach(place -> arguments.add(keys[place]));
            parts.add(pipeline.executeCommand(arguments, BuilderFactory.BINARY_LIST));
        }
        pipeline.sync();
        int part = 0;
        for (List<Integer> places : slots.values()) {
            List<byte[]> found = parts.get(part++).get();
            for (int i = 0; i < places.size(); i++) {
                values[places.get(i)] = found.get(i);
            }
        }
        return new ArrayList<>(Arrays.asList(values));
    }

    static String mset(UnifiedJedis client, byte[]... keysvalues) {
        if (keysvalues.length % 2 != 0) {
            throw new IllegalArgumentException("MSET needs a value for every key");
        }
        List<Response<String>> parts = new ArrayList<>();
        Pipeline pipeline = client.pipelined();
        for (List<Integer> places : places(keysvalues, 2).values()) {
            CommandArguments arguments = new CommandArguments(Protocol.Command.MSET);
            places.forEach(
                    place -> arguments.add(keysvalues[place]).add(keysvalues[place + 1]));
            parts.add(pipeline.executeCommand(arguments, BuilderFactory.STRING));
        }
        pipeline.sync();
        parts.forEach(Response::get);
        return "OK";
    }
}
