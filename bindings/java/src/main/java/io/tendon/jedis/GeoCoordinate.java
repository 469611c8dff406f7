package io.tendon.jedis;

import java.io.Serializable;

/** A place on earth, in degrees. */
public class GeoCoordinate implements Serializable {
    private static final long serialVersionUID = 1L;

    private final double longitude;
    private final double latitude;

    public GeoCoordinate(double longitude, double latitude) {
        this.longitude = longitude;
        this.latitude = latitude;
    }

    public double getLongitude() {
        return longitude;
    }

    public double getLatitude() {
        return latitude;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof GeoCoordinate place && place.longitude == longitude
                && place.latitude == latitude;
    }

    @Override
    public int hashCode() {
        return 31 * Double.hashCode(longitude) + Double.hashCode(latitude);
    }

    @Override
    public String toString() {
        return "(" + longitude + "," + latitude + ")";
    }
}
