// The same as tests/servers/for_clients.py with npm's socket.io; it prints its port.
import { createServer } from "node:http";
import { Server } from "socket.io";

const [port, pingInterval, pingTimeout] = process.argv.slice(2).map(Number);
const http = createServer();
const io = new Server(http, {
  pingInterval: pingInterval * 1000,
  pingTimeout: pingTimeout * 1000,
  cookie: true,
});

io.use((socket, next) => {
  const wrong = socket.handshake.auth.token === "wrong";
  next(wrong ? Object.assign(new Error("not authorized"), { data: { code: 401 } }) : undefined);
});

io.on("connection", (socket) => {
  socket.on("echo", (...args) => socket.emit("echo back", ...args));
  socket.on("acknowledge", (...args) => args.pop()(...args));
  socket.on("ask", (value) =>
    socket.emit("question", value, (...values) => socket.emit("answer", values)),
  );
  socket.on("handshake", (ack) => {
    const { headers, query } = socket.handshake;
    ack(headers["x-client"], query.lang, headers.cookie);
  });
  socket.on("report", (ack) => {
    socket.on("disconnect", (reason) => console.log(socket.id, reason));
    ack();
  });
  socket.on("provoke", (cause) => {
    if (cause === "disconnect") {
      socket.disconnect();
    } else if (cause === "disconnect and close") {
      socket.disconnect(true);
    } else if (cause === "close the session") {
      socket.conn.close();
    } else if (cause === "send garbage") {
      socket.conn.send("9");
    } else {
      io.close();
    }
  });
});

io.of("/chat").on("connection", (socket) => {
  socket.emit("welcome", socket.nsp.name);
  socket.on("echo", (...args) => socket.emit("echo back", ...args));
});

http.listen(port, "127.0.0.1", () => console.log(http.address().port));
