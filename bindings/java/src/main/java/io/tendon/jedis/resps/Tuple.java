package io.tendon.jedis.resps;

import io.tendon.jedis.util.SafeEncoder;
import java.util.Arrays;

/** A member of a sorted set with its score. Ordered by score, then by member. */
public class Tuple implements Comparable<Tuple> {
    private final byte[] element;
    private final double score;

    public Tuple(String element, Double score) {
        this(SafeEncoder.encode(element), score);
    }

    public Tuple(byte[] element, Double score) {
        this.element = element;
        this.score = score;
    }

    public String getElement() {
        return SafeEncoder.encode(element);
    }

    public byte[] getBinaryElement() {
        return element;
    }

    public double getScore() {
        return score;
    }

    @Override
    public int compareTo(Tuple other) {
        int byScore = Double.compare(score, other.score);
        return byScore != 0 ? byScore : Arrays.compare(element, other.element);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Tuple tuple && compareTo(tuple) == 0;
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(element) + Double.hashCode(score);
    }

    @Override
    public String toString() {
        return "[" + getElement() + "," + score + "]";
    }
}
