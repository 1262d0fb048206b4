// npm's clients for the tests of several workers: `clients.mjs URL COUNT TRANSPORTS MODE`.
//
// MODE "once": each client sends numbers and expects their acknowledgements in order, then goes.
// MODE "stay": they stay until standard input ends; a line with a process's number asks for the
// clients of that process to have come back, all in other processes.
// Prints one JSON line for what has come to pass.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const require = createRequire(new URL("../interop/package.json", import.meta.url));
const { io } = require("socket.io-client");
const [url, count, choice, mode] = process.argv.slice(2);
const transports = choice === "upgrade" ? ["polling", "websocket"] : [choice];
const options = { transports, forceNew: true, reconnection: mode === "stay", reconnectionDelay: 50, rejectUnauthorized: false };

const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const processes = {};
const wrong = [];

async function upgraded(socket) {
  if (choice === "upgrade" && socket.io.engine.transport.name !== "websocket") {
    await new Promise((resolve) => socket.io.engine.once("upgrade", resolve));
  }
}

async function once(socket, pid) {
  processes[pid] = (processes[pid] ?? 0) + 1;
  const answers = [];
  for (let n = 0; n < 20; n++) socket.emit("echo", n, (answer) => answers.push(answer));
  await upgraded(socket);
  for (let n = 20; n < 30; n++) answers.push(await socket.emitWithAck("echo", n));
  if (answers.join() !== [...Array(30).keys()].join()) wrong.push(answers);
}

const sockets = Array.from({ length: Number(count) }, () => io(url, options));
if (mode === "once") {
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise((resolve) => {
          const fail = (why) => (wrong.push(String(why)), resolve());
          socket.on("connect_error", fail);
          socket.on("disconnect", fail);
          socket.on("process", async (pid) => {
            await once(socket, pid);
            socket.off("disconnect", fail).disconnect();
            resolve();
          });
        }),
    ),
  );
  print({ processes, wrong });
  process.exit();
}

// Where each client is, and what has happened to it.
const at = new Map();
let changed = () => {};
for (const socket of sockets) {
  socket.on("process", async (pid) => {
    // On one connection of its own: before, it may have others, to other workers.
    await upgraded(socket);
    at.set(socket, pid);
    changed();
  });
  socket.on("disconnect", (reason) => (wrong.push([at.get(socket), reason]), at.delete(socket), changed()));
}
const until = async (holds) => {
  while (!holds()) await new Promise((resolve) => (changed = resolve));
};
await until(() => at.size === sockets.length);
print({ processes: [...at.values()] });
for await (const line of createInterface({ input: process.stdin })) {
  const dead = Number(line);
  await until(() => at.size === sockets.length && ![...at.values()].includes(dead));
  for (const socket of sockets) {
    if ((await socket.emitWithAck("echo", 1)) !== 1) wrong.push("echo");
  }
  print({ processes: [...at.values()], wrong });
}
await until(() => at.size === 0);
print({ wrong });
process.exit();
