// npm's socket.io, the reference: node socket_io.mjs FOLDER [--ping-interval SECONDS]
// FOLDER is the one whose node_modules holds the package.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { "ping-interval": { type: "string", default: "25" } },
});
const { Server } = createRequire(resolve(positionals[0], "package.json"))("socket.io");

const http = createServer();
const io = new Server(http, {
  pingInterval: Number(values["ping-interval"]) * 1000,
  serveClient: false,
});

io.on("connection", (socket) => {
  socket.on("echo", (value) => socket.emit("echo", value));
  socket.on("ack", (value, acknowledge) => acknowledge(value));
  socket.on("broadcast", (value) => io.emit("broadcast", value));
});

http.listen(0, "127.0.0.1", () => console.log("READY", http.address().port));
