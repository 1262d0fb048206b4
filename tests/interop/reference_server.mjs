// The reference: npm's socket.io, offering what tests/servers/interop.py offers.
//
// Every scenario runs against this server too, so an expectation of the suite is known to be what
// the real server and the real client do together. Both programs must be changed together.
import { createServer } from "node:http";
import { once } from "node:events";
import { Server } from "socket.io";
import * as msgpack from "socket.io-msgpack-parser";

// What a server's handler throws must not end this process, as it must not end ours.
process.on("uncaughtException", (error) => console.error(error.message));

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const room = (name) => `watching ${name}`;

function reportDisconnect(io, socket) {
  const { name } = socket.handshake.auth;
  if (name) {
    socket.on("disconnect", (reason) => io.to(room(name)).emit("gone", reason));
  }
}

function serveMainNamespace(io) {
  io.use((socket, next) => {
    const { token } = socket.handshake.auth;
    if (token === "wrong") {
      return next(Object.assign(new Error("not authorized"), { data: { code: 401 } }));
    }
    next(token === "unexplained" ? new Error("go away") : undefined);
  });

  io.on("connection", (socket) => {
    const { auth } = socket.handshake;
    socket.emit("auth", auth);
    if (auth.watch) {
      socket.join(room(auth.watch));
    }
    reportDisconnect(io, socket);
    if (auth.unwelcome) {
      socket.disconnect(true);
    }
    if (auth.unwelcomeAfter !== undefined) {
      dismiss(socket, auth.unwelcomeAfter);
    }
    serveMessages(socket);
    serveAcknowledgements(io, socket);
    serveRooms(io, socket);
    serveStreams(socket);
  });
}

async function dismiss(socket, milliseconds) {
  socket.emit("last", 0);
  await sleep(milliseconds);
  for (const number of [1, 2, 3]) {
    socket.emit("last", number);
  }
  socket.disconnect(true);
}

function serveMessages(socket) {
  const echo = (...args) => socket.emit("echo back", ...args);
  socket.on("echo", echo);
  socket.on("événement 🎉", echo);
  socket.on("message", (...args) => socket.send(...args));
  socket.on("generate", (kind, size) =>
    socket.emit("generated", kind === "binary" ? Buffer.alloc(size, 7) : "x".repeat(size)),
  );
  socket.on("volatile", (value) => socket.volatile.emit("volatile", value));
  socket.on("fail", () => {
    throw new Error("a handler that fails");
  });
  socket.on("disconnect me", (close) => socket.disconnect(close));
  socket.on("transport", (ack) => ack(socket.conn.transport.name));
  socket.on("handshake", (ack) =>
    ack(socket.handshake.query.lang, socket.handshake.headers["x-client"], socket.nsp.name),
  );
}

function serveAcknowledgements(io, socket) {
  const ask = (timeout, event, ...args) =>
    new Promise((resolve) =>
      socket.timeout(timeout).emit(event, ...args, (error, ...values) => resolve(error ? null : values)),
    );
  socket.on("acknowledge", (...args) => args.pop()(...args));
  socket.on("single", (value, ack) => ack(value));
  socket.on("nothing", (ack) => ack());
  socket.on("twice", (value, ack) => {
    socket.emit("before");
    ack(value, "first");
    ack(value, "second");
  });
  socket.on("ask", async (event, ...args) => {
    socket.emit("answer", await ask(5000, event, ...args));
  });
  socket.on("ask twice", async () => {
    socket.emit("answer", await Promise.all([ask(5000, "question", 1), ask(5000, "question", 2)]));
  });
  socket.on("ask in vain", async () => {
    socket.emit("answer", await ask(50, "question"));
  });
  socket.on("collect", async (room, timeout, event, ack) => {
    try {
      ack("all", await io.to(room).timeout(timeout).emitWithAck(event));
    } catch (error) {
      ack("some", error.responses);
    }
  });
}

function serveRooms(io, socket) {
  socket.on("join", (rooms, ack) => {
    socket.join(rooms);
    ack();
  });
  socket.on("leave", (room, ack) => {
    socket.leave(room);
    ack();
  });
  socket.on("rooms", (ack) => ack([...socket.rooms].filter((room) => room !== socket.id).sort()));
  socket.on("send to", (rooms, excepted, ...event) => io.to(rooms).except(excepted).emit(...event));
  socket.on("send to others in", (rooms, ...event) => socket.to(rooms).emit(...event));
  socket.on("broadcast", (...event) => socket.broadcast.emit(...event));
  socket.on("send to all", (...event) => io.emit(...event));
}

function serveStreams(socket) {
  const numbers = [];
  let enough = false;
  socket.on("number", (value) => numbers.push(value));
  socket.on("numbers", (ack) => ack(numbers));
  socket.on("push", async () => {
    let count = 0;
    for (; !enough && socket.connected; count += 1) {
      socket.emit("pushed", count, count % 5 ? "text" : Buffer.from([1, 2, 3]));
      await sleep(1);
    }
    socket.emit("pushed in all", count);
  });
  socket.on("enough", () => {
    enough = true;
  });
}

function serveOtherNamespaces(io) {
  io.of("/admin").use((socket, next) =>
    next(socket.handshake.auth.token === "secret" ? undefined : new Error("admins only")),
  );
  for (const name of ["/chat", "/news", "/admin"]) {
    io.of(name).on("connection", (socket) => {
      socket.emit("welcome", socket.nsp.name);
      socket.on("echo", (...args) => socket.emit("echo back", ...args));
      socket.on("send to all", (...event) => socket.nsp.emit(...event));
      socket.on("disconnect me", (close) => socket.disconnect(close));
      reportDisconnect(io, socket);
    });
  }
}

async function listen(options) {
  const http = createServer();
  const io = new Server(http, options);
  serveMainNamespace(io);
  serveOtherNamespaces(io);
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return http.address().port;
}

const ports = {
  json: await listen({}),
  msgpack: await listen({ parser: msgpack }),
  heartbeat: await listen({ pingInterval: 100, pingTimeout: 400 }),
};
console.log(JSON.stringify(ports));
