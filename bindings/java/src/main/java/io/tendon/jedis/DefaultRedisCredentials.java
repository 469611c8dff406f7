package io.tendon.jedis;

/** A user with a password; never shows the password. */
public final class DefaultRedisCredentials implements RedisCredentials {
    private final String user;
    private final char[] password;

    public DefaultRedisCredentials(String user, char[] password) {
        this.user = user;
        this.password = password == null ? null : password.clone();
    }

    public DefaultRedisCredentials(String user, CharSequence password) {
        this(user, password == null ? null : password.toString().toCharArray());
    }

    @Override
    public String getUser() {
        return user;
    }

    @Override
    public char[] getPassword() {
        return password == null ? null : password.clone();
    }

    @Override
    public String toString() {
        return "credentials of " + (user == null ? "the default user" : user);
    }
}
