// What a socket has received, in order, and waiting for what it has not received yet.
import { EventEmitter } from "node:events";

const PATIENCE = 60_000; // milliseconds until what does not come is an error

export class Inbox {
  #events = [];
  #arrival = new EventEmitter();

  constructor(socket) {
    const take = (name, args) => {
      this.#events.push([name, args.filter((arg) => typeof arg !== "function")]);
      this.#arrival.emit("arrival");
    };
    for (const name of ["connect", "connect_error", "disconnect"]) {
      socket.on(name, (...args) => take(name, args));
    }
    socket.onAny((name, ...args) => take(name, args));
  }

  // The arguments of the next event of that name; what was received before it is kept.
  async next(name) {
    const index = await this.#find(name);
    return this.#events.splice(index, 1)[0][1];
  }

  // All that was received before the next event of that name, [name, arguments] each.
  async until(name) {
    const index = await this.#find(name);
    return this.#events.splice(0, index + 1).slice(0, -1);
  }

  #find(name) {
    const index = () => this.#events.findIndex((event) => event[0] === name);
    const arrived = new Promise((resolve) => {
      const look = () => {
        if (index() < 0) return;
        this.#arrival.off("arrival", look);
        resolve(index());
      };
      this.#arrival.on("arrival", look);
      look();
    });
    return inTime(arrived, () => `${name}, after ${JSON.stringify(this.#events).slice(0, 500)}`);
  }
}

// The outcome of `promise`, or an error when that takes too long.
export function inTime(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not come: ${what()}`)), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// The arguments with which `emitter` next emits `name`. Unlike events.once it bears an "error".
export function happening(emitter, name) {
  const happened = new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));
  return inTime(happened, () => name);
}
