// npm's client as a puppet: several clients in one process, which do what they are told.
//
// In:  JSON lines, ["verb", …arguments]; most verbs take the name of a client first.
// Out: a JSON line for each: {"value": …}, or {"failed": "why"}.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { Inbox, inTime } from "../interop/scenarios/inbox.mjs";

const require = createRequire(new URL("../interop/package.json", import.meta.url));
const { io } = require("socket.io-client");

const clients = new Map();

const connection = (client) => {
  const { socket } = client;
  const decided = new Promise((resolve) => {
    socket.on("connect", () => resolve(null));
    // Of an error of the network it is active still: the program may only be starting.
    socket.on("connect_error", (error) => socket.active || resolve(error.message));
  });
  return inTime(decided, () => "a connection");
};

const verbs = {
  // Null, or why the server refused. `auth` is given at every reconnection as it is then.
  connect(name, url, auth) {
    const client = { auth };
    const options = { forceNew: true, reconnectionDelay: 10, reconnectionDelayMax: 50 };
    client.socket = io(url, { ...options, auth: (give) => give(client.auth) });
    client.inbox = new Inbox(client.socket);
    clients.set(name, client);
    return connection(client);
  },

  // The acknowledgements of events, [client, event, …arguments] each, all sent at once.
  ask(...requests) {
    return Promise.all(
      requests.map(([name, ...request]) =>
        clients.get(name).socket.timeout(5_000).emitWithAck(...request),
      ),
    );
  },

  // The arguments of the next event of that name.
  next: (name, event) => clients.get(name).inbox.next(event),

  // The network goes away, and stays away until `restore`.
  lose(name) {
    const { socket, inbox } = clients.get(name);
    socket.io.reconnection(false);
    socket.io.engine.close();
    return inbox.next("disconnect");
  },

  restore(name, auth) {
    const client = clients.get(name);
    client.auth = auth;
    client.socket.io.reconnection(true);
    client.socket.connect();
    return connection(client);
  },

  leave() {
    for (const { socket } of clients.values()) socket.disconnect();
    clients.clear();
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, ...args] = JSON.parse(line);
  try {
    console.log(JSON.stringify({ value: (await verbs[verb](...args)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ failed: error.stack }));
  }
}
