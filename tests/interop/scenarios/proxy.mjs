// A TCP proxy: a network that a scenario can watch, slow down, cut and silence.
import { EventEmitter, once } from "node:events";
import { connect, createServer } from "node:net";

export class Proxy {
  latency = { polling: 0, websocket: 0 }; // milliseconds that everything takes, each way
  #pairs = new Set();
  #requests = new EventEmitter();
  #server = createServer({ allowHalfOpen: true }, (client) => this.#join(client));
  #silent = new Set();
  #target;

  static async listen(target) {
    const proxy = new Proxy();
    proxy.#target = { host: target.hostname, port: target.port, allowHalfOpen: true };
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    proxy.url = `http://127.0.0.1:${proxy.#server.address().port}`;
    return proxy;
  }

  #join(client) {
    const pair = { client, server: connect(this.#target), transport: "polling" };
    this.#pairs.add(pair);
    client.on("error", () => pair.server.destroy());
    this.#forward(pair, "server", "client");
    // Only now, so that a request which was seen to pass is in the server's hands.
    pair.server.once("connect", () => this.#forward(pair, "client", "server"));
  }

  #forward(pair, side, other) {
    const [from, to] = [pair[side], pair[other]];
    const pass = (action) => {
      const latency = this.latency[pair.transport];
      if (!this.#silent.has(side)) {
        latency ? setTimeout(action, latency) : action();
      }
    };
    from.on("data", (chunk) => {
      const text = chunk.toString("latin1");
      if (/^upgrade: *websocket/im.test(text)) {
        pair.transport = "websocket";
      }
      pass(() => {
        to.write(chunk);
        this.#requests.emit(text.split(" ", 1)[0]);
      });
    });
    from.on("end", () => pass(() => to.end()));
    from.on("error", () => pass(() => to.destroy()));
    from.on("close", () => this.#pairs.delete(pair));
  }

  // Resolved when the next HTTP request with that method has passed on its way to the server.
  request(method) {
    return once(this.#requests, method);
  }

  // Every connection breaks; new ones are served.
  cut() {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  // From now on nothing that this side ("client" or "server") sends arrives; all else does.
  silence(side) {
    this.#silent.add(side);
  }

  close() {
    this.#server.close();
    this.cut();
  }
}
