package io.tendon.jedis.resps;

import io.tendon.jedis.GeoCoordinate;
import io.tendon.jedis.util.SafeEncoder;

/** A place that was found, with as much of it as was asked for. */
public class GeoRadiusResponse {
    private final byte[] member;
    private double distance;
    private GeoCoordinate coordinate;
    private long rawScore;

    public GeoRadiusResponse(byte[] member) {
        this.member = member;
    }

    public void setDistance(double distance) {
        this.distance = distance;
    }

    public void setCoordinate(GeoCoordinate coordinate) {
        this.coordinate = coordinate;
    }

    public void setRawScore(long rawScore) {
        this.rawScore = rawScore;
    }

    public byte[] getMember() {
        return member;
    }

    public String getMemberByString() {
        return SafeEncoder.encode(member);
    }

    /** 0 unless asked for; in the unit of the question. */
    public double getDistance() {
        return distance;
    }

    /** Null unless asked for. */
    public GeoCoordinate getCoordinate() {
        return coordinate;
    }

    /** 0 unless asked for. */
    public long getRawScore() {
        return rawScore;
    }

    @Override
    public String toString() {
        return getMemberByString() + "[" + distance + "," + coordinate + "," + rawScore + "]";
    }
}
