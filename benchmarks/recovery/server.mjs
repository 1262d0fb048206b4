// The same as server.py with npm's socket.io: node server.mjs FOLDER PORT JOURNAL
// FOLDER is the one whose node_modules holds the package.
import { openSync, readFileSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [folder, port, path] = process.argv.slice(2);
const { Server } = createRequire(resolve(folder, "package.json"))("socket.io");

const journal = openSync(path, "a");
const lines = new Set(readFileSync(path, "utf-8").split("\n"));
const http = createServer();

new Server(http, { serveClient: false }).on("connection", (socket) => {
  socket.on("number", (client, number, acknowledge) => {
    const line = `${client} ${number}`;
    const first = !lines.has(line);
    if (first) {
      writeSync(journal, `${line}\n`);
      lines.add(line);
    }
    setTimeout(acknowledge, 20, first);
  });
});

http.listen(Number(port), "127.0.0.1", () => console.log("READY", http.address().port));
