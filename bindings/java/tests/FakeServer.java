package io.tendon.jedis.tests;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** A TCP server that answers whatever comes with the same bytes, or, with none, never. */
final class FakeServer implements Closeable {
    private static final int FIRST_PORT = 15650;
    private static final int LAST_PORT = 15690;

    private final ServerSocket listener;
    private final byte[] answer;

    FakeServer(byte[] answer) throws IOException {
        this.answer = answer;
        listener = listen();
        Thread thread = new Thread(this::accept, "fake server");
        thread.setDaemon(true);
        thread.start();
    }

    private static ServerSocket listen() throws IOException {
        IOException last = null;
        for (int port = FIRST_PORT; port <= LAST_PORT; port++) {
            try {
                return new ServerSocket(port, 16, InetAddress.getByName("127.0.0.1"));
            } catch (IOException taken) {
                last = taken;
            }
        }
        throw last;
    }

    int port() {
        return listener.getLocalPort();
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket socket = listener.accept();
                Thread thread = new Thread(() -> serve(socket), "fake connection");
                thread.setDaemon(true);
                thread.start();
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        byte[] buffer = new byte[4096];
        try (socket; InputStream in = socket.getInputStream();
                OutputStream out = socket.getOutputStream()) {
            while (in.read(buffer) >= 0) {
                out.write(answer);
                out.flush();
            }
        } catch (IOException ended) {
            return; /* the client went away, as it should */
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
