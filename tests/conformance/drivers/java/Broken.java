package conformance;

/** The driver cannot go on; an Error, so that nothing takes it for a failure of the library. */
final class Broken extends Error {
    private static final long serialVersionUID = 1L;

    Broken(String why) {
        super(why);
    }

    Broken(Throwable cause) {
        super(cause);
    }
}
