package io.tendon.jedis;

import java.time.Duration;

/**
 * The limits of a pool, with the setters and defaults of commons-pool2's class of this name. The
 * pool itself is in the native core. Settings that have no meaning there are kept and have no
 * effect: see DIFFERENCES.md.
 */
public class GenericObjectPoolConfig<T> {
    public static final int DEFAULT_MAX_TOTAL = 8;
    public static final int DEFAULT_MAX_IDLE = 8;
    public static final int DEFAULT_MIN_IDLE = 0;

    private static final Duration NONE = Duration.ofMillis(-1);

    private int maxTotal = DEFAULT_MAX_TOTAL;
    private int maxIdle = DEFAULT_MAX_IDLE;
    private int minIdle = DEFAULT_MIN_IDLE;
    private Duration maxWait = NONE;
    private boolean blockWhenExhausted = true;
    private boolean testOnCreate;
    private boolean testOnBorrow;
    private boolean testOnReturn;
    private boolean testWhileIdle;
    private Duration betweenEvictionRuns = NONE;
    private Duration minEvictableIdle = Duration.ofMinutes(30);
    private Duration softMinEvictableIdle = NONE;
    private int testsPerEvictionRun = 3;
    private boolean lifo = true;
    private boolean fairness;
    private boolean jmxEnabled = true;
    private String jmxNamePrefix = "pool";
    private String jmxNameBase;

    public int getMaxTotal() {
        return maxTotal;
    }

    /** Connections at most; negative: as many as the core allows. */
    public void setMaxTotal(int count) {
        maxTotal = count;
    }

    public int getMaxIdle() {
        return maxIdle;
    }

    /** Idle connections kept at most; negative: no limit. */
    public void setMaxIdle(int count) {
        maxIdle = count;
    }

    public int getMinIdle() {
        return minIdle;
    }

    /** Idle connections kept ready. */
    public void setMinIdle(int count) {
        minIdle = count;
    }

    public Duration getMaxWaitDuration() {
        return maxWait;
    }

    public long getMaxWaitMillis() {
        return maxWait.toMillis();
    }

    /** How long to wait for a connection when all are lent; negative: for ever. */
    public void setMaxWait(Duration duration) {
        maxWait = orNone(duration);
    }

    public void setMaxWaitMillis(long milliseconds) {
        maxWait = Duration.ofMillis(milliseconds);
    }

    public boolean getBlockWhenExhausted() {
        return blockWhenExhausted;
    }

    /** False: fails at once when all are lent. */
    public void setBlockWhenExhausted(boolean wanted) {
        blockWhenExhausted = wanted;
    }

    public boolean getTestOnCreate() {
        return testOnCreate;
    }

    /** Without effect: the handshake has just tested a new connection. */
    public void setTestOnCreate(boolean wanted) {
        testOnCreate = wanted;
    }

    public boolean getTestOnBorrow() {
        return testOnBorrow;
    }

    /** PING before a connection is lent; one that fails is replaced. */
    public void setTestOnBorrow(boolean wanted) {
        testOnBorrow = wanted;
    }

    public boolean getTestOnReturn() {
        return testOnReturn;
    }

    /** PING when a connection is given back. */
    public void setTestOnReturn(boolean wanted) {
        testOnReturn = wanted;
    }

    public boolean getTestWhileIdle() {
        return testWhileIdle;
    }

    /** PING idle connections every timeBetweenEvictionRuns. */
    public void setTestWhileIdle(boolean wanted) {
        testWhileIdle = wanted;
    }

    public Duration getDurationBetweenEvictionRuns() {
        return betweenEvictionRuns;
    }

    public long getTimeBetweenEvictionRunsMillis() {
        return betweenEvictionRuns.toMillis();
    }

    /** How often idle connections are looked at; not positive: never. */
    public void setTimeBetweenEvictionRuns(Duration duration) {
        betweenEvictionRuns = orNone(duration);
    }

    public void setTimeBetweenEvictionRunsMillis(long milliseconds) {
        betweenEvictionRuns = Duration.ofMillis(milliseconds);
    }

    public Duration getMinEvictableIdleDuration() {
        return minEvictableIdle;
    }

    public long getMinEvictableIdleTimeMillis() {
        return minEvictableIdle.toMillis();
    }

    /** Idle connections above minIdle are closed after this time; not positive: never. */
    public void setMinEvictableIdleDuration(Duration duration) {
        minEvictableIdle = orNone(duration);
    }

    public void setMinEvictableIdleTime(Duration duration) {
        setMinEvictableIdleDuration(duration);
    }

    public void setMinEvictableIdleTimeMillis(long milliseconds) {
        minEvictableIdle = Duration.ofMillis(milliseconds);
    }

    public Duration getSoftMinEvictableIdleDuration() {
        return softMinEvictableIdle;
    }

    /** Without effect: minEvictableIdle already spares minIdle connections. */
    public void setSoftMinEvictableIdleDuration(Duration duration) {
        softMinEvictableIdle = orNone(duration);
    }

    public void setSoftMinEvictableIdleTimeMillis(long milliseconds) {
        softMinEvictableIdle = Duration.ofMillis(milliseconds);
    }

    public int getNumTestsPerEvictionRun() {
        return testsPerEvictionRun;
    }

    /** Without effect: every idle connection is tested. */
    public void setNumTestsPerEvictionRun(int count) {
        testsPerEvictionRun = count;
    }

    public boolean getLifo() {
        return lifo;
    }

    /** Without effect: the connection used last is lent first. */
    public void setLifo(boolean wanted) {
        lifo = wanted;
    }

    public boolean getFairness() {
        return fairness;
    }

    /** Without effect: waiters are always served in order. */
    public void setFairness(boolean wanted) {
        fairness = wanted;
    }

    public boolean getJmxEnabled() {
        return jmxEnabled;
    }

    /** Without effect: the pool is not in the JVM. */
    public void setJmxEnabled(boolean wanted) {
        jmxEnabled = wanted;
    }

    public String getJmxNamePrefix() {
        return jmxNamePrefix;
    }

    /** Without effect. */
    public void setJmxNamePrefix(String prefix) {
        jmxNamePrefix = prefix;
    }

    public String getJmxNameBase() {
        return jmxNameBase;
    }

    /** Without effect. */
    public void setJmxNameBase(String base) {
        jmxNameBase = base;
    }

    private static Duration orNone(Duration duration) {
        return duration == null ? NONE : duration;
    }
}
