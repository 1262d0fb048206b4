// What a scenario works with: client sockets, each with its inbox, and the network between.
import { randomUUID } from "node:crypto";
import { io } from "socket.io-client";
import * as msgpack from "socket.io-msgpack-parser";
import { Inbox, happening, inTime } from "./inbox.mjs";
import { Proxy } from "./proxy.mjs";

const TRANSPORTS = {
  polling: { transports: ["polling"], upgrade: false },
  websocket: { transports: ["websocket"] },
  upgrade: { transports: ["polling", "websocket"] },
};

export class Scene {
  #opened = [];

  // transports: a key of TRANSPORTS; setup: which of the server's ports `url` is.
  constructor({ transports, setup, url }) {
    this.transports = transports;
    this.setup = setup;
    this.url = url;
  }

  // A client socket, not yet connected. `through` is a proxy to connect through.
  open(namespace = "/", { through, ...options } = {}) {
    const socket = io((through ?? this).url + namespace, {
      ...TRANSPORTS[this.transports],
      ...(this.setup === "msgpack" ? { parser: msgpack } : {}),
      forceNew: true,
      reconnection: false,
      ...options,
    });
    return this.#keep(socket);
  }

  // A socket of another namespace, over the connection that `socket` has.
  beside(socket, namespace, options) {
    return this.#keep(socket.io.socket(namespace, options));
  }

  // A connected client socket, past the upgrade where there is one.
  async connect(namespace, options) {
    const socket = this.open(namespace, options);
    await socket.inbox.next("connect");
    await this.settled(socket);
    return socket;
  }

  // Until the connection of `socket` has the transport that it is to keep.
  async settled(socket) {
    const { engine } = socket.io;
    if (this.transports === "upgrade" && engine.transport.name === "polling") {
      await happening(engine, "upgrade");
    }
  }

  // A name that no other run has used, since the server's rooms outlive a run by a moment.
  name() {
    return randomUUID();
  }

  // What returns a promise of the reason for which the server sees the client of that name go.
  async watch(name) {
    const watcher = this.open("/", { transports: ["websocket"], auth: { watch: name } });
    await watcher.inbox.next("auth");
    return async () => (await watcher.inbox.next("gone"))[0];
  }

  async proxy() {
    const proxy = await Proxy.listen(new URL(this.url));
    this.#opened.push(proxy);
    return proxy;
  }

  close() {
    for (const each of this.#opened) {
      each.close();
    }
  }

  #keep(socket) {
    socket.inbox = new Inbox(socket);
    this.#opened.push({ close: () => socket.disconnect() });
    return socket;
  }
}

// What the server acknowledges, as a list.
export function ask(socket, event, ...args) {
  return inTime(
    new Promise((resolve) => socket.emit(event, ...args, (...values) => resolve(values))),
    () => `the acknowledgement of ${event}`,
  );
}
