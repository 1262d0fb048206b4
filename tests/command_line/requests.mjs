// Send requests to the chat as no page would, and print what it answers.
//
//     node requests.mjs URL < lines
//
// Each line is a JSON array, an event's name and arguments; or the name of a page, in a JSON
// string: that page connects, and what follows is sent by it. Each line printed is the
// acknowledgement of one event.

import { once } from "node:events";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const require = createRequire(new URL("../interop/package.json", import.meta.url));
const { io } = require("socket.io-client");

const sockets = [];

async function connect(page) {
  const auth = page === undefined ? undefined : { page };
  const socket = io(process.argv[2], { auth, forceNew: true, reconnection: false });
  sockets.push(socket);
  await once(socket, "connect");
  return socket;
}

let socket = await connect();
for (const line of (await text(process.stdin)).split("\n").filter(Boolean)) {
  const request = JSON.parse(line);
  if (typeof request === "string") socket = await connect(request);
  else console.log(JSON.stringify(await socket.timeout(10_000).emitWithAck(...request)));
}
for (const socket of sockets) socket.disconnect();
