import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;

/** java Server.java PORT clean|keep|direct BYTES: answers a POST with the length of its body, and makes garbage. */
public class Server {
    static final List<Object> KEPT = new ArrayList<>();

    public static void main(String[] arguments) throws Exception {
        int bytes = Integer.parseInt(arguments[2]);
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 128);
        server.createContext("/", exchange -> {
            byte[] body = exchange.getRequestBody().readAllBytes();
            List<String> words = new ArrayList<>();
            for (int i = 0; i < 3000; i++) words.add("word" + body.length + i);
            words.sort(null);
            synchronized (KEPT) {
                if (arguments[1].equals("keep")) KEPT.add(new byte[bytes]);
                if (arguments[1].equals("direct")) {
                    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes);
                    while (buffer.hasRemaining()) buffer.put((byte) 0x5a);
                    KEPT.add(buffer);
                }
            }
            byte[] answer = String.valueOf(words.size()).getBytes();
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.start();
    }
}
