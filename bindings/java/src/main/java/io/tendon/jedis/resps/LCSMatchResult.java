package io.tendon.jedis.resps;

import java.util.List;

/** What two strings have in common: the text, its length, or where its parts are, as was asked. */
public class LCSMatchResult {
    private final String matchString;
    private final List<MatchedPosition> matches;
    private final long len;

    /** One part, and where it is in both strings. */
    public static class MatchedPosition {
        private final Position a;
        private final Position b;
        private final long matchLen;

        public MatchedPosition(Position a, Position b, long matchLen) {
            this.a = a;
            this.b = b;
            this.matchLen = matchLen;
        }

        public Position getA() {
            return a;
        }

        public Position getB() {
            return b;
        }

        /** 0 unless asked for. */
        public long getMatchLen() {
            return matchLen;
        }
    }

    /** From the first to the last byte, both included. */
    public static class Position {
        private final long start;
        private final long end;

        public Position(long start, long end) {
            this.start = start;
            this.end = end;
        }

        public long getStart() {
            return start;
        }

        public long getEnd() {
            return end;
        }
    }

    public LCSMatchResult(String matchString) {
        this(matchString, null, 0);
    }

    public LCSMatchResult(long len) {
        this(null, null, len);
    }

    public LCSMatchResult(String matchString, List<MatchedPosition> matches, long len) {
        this.matchString = matchString;
        this.matches = matches;
        this.len = len;
    }

    public String getMatchString() {
        return matchString;
    }

    public List<MatchedPosition> getMatches() {
        return matches;
    }

    public long getLen() {
        return len;
    }
}
