// Connecting, being refused, leaving and coming back.
import { happening } from "./inbox.mjs";
import { ask } from "./scene.mjs";

const reason = async (socket) => (await socket.inbox.next("disconnect"))[0];

export async function connectWithAuth(scene, see) {
  const socket = await scene.connect("/", { auth: { token: "secret", nested: { list: [1, "é"] } } });
  see(await socket.inbox.next("auth"));
  see(/^[\w-]{20}$/.test(socket.id));
  see(socket.recovered);
}

export async function connectWithoutAuth(scene, see) {
  const socket = await scene.connect();
  see(await socket.inbox.next("auth"));
}

export async function handshake(scene, see) {
  const socket = await scene.connect("/", {
    query: { lang: "fr é&=" },
    extraHeaders: { "X-Client": "npm" },
  });
  see(await ask(socket, "handshake"));
}

export async function transportOfASocket(scene, see) {
  const socket = await scene.connect();
  see(await ask(socket, "transport"));
  see(socket.io.engine.transport.name);
}

export async function refusedWithData(scene, see) {
  const socket = scene.open("/", { auth: { token: "wrong" } });
  const [error] = await socket.inbox.next("connect_error");
  see([error.message, error.data]);
  see([socket.connected, socket.active]);
}

export async function refusedWithoutData(scene, see) {
  const socket = scene.open("/", { auth: { token: "unexplained" } });
  const [error] = await socket.inbox.next("connect_error");
  see([error.message, error.data]);
}

export async function refusedThenAccepted(scene, see) {
  const socket = scene.open("/", { auth: { token: "wrong" } });
  await socket.inbox.next("connect_error");
  socket.auth = { token: "right" };
  socket.connect();
  see(await socket.inbox.next("auth"));
}

export async function serverDisconnects(scene, see) {
  const name = scene.name();
  const gone = await scene.watch(name);
  const socket = await scene.connect("/", { auth: { name }, reconnection: true });
  socket.emit("disconnect me", false);
  see(await reason(socket));
  see(await gone());
  see(socket.active);
  socket.connect();
  await socket.inbox.next("connect");
  see(await ask(socket, "single", "connected again"));
}

export async function serverDisconnectsAndCloses(scene, see) {
  const [name, chatName] = [scene.name(), scene.name()];
  const [gone, chatGone] = [await scene.watch(name), await scene.watch(chatName)];
  const socket = await scene.connect("/", { auth: { name } });
  const chat = scene.beside(socket, "/chat", { auth: { name: chatName } });
  await chat.inbox.next("welcome");
  socket.emit("disconnect me", true);
  see([await reason(socket), await reason(chat)]);
  see([await gone(), await chatGone()]);
}

export async function serverDisconnectsAtOnce(scene, see) {
  const name = scene.name();
  const gone = await scene.watch(name);
  const socket = scene.open("/", { auth: { name, unwelcome: true }, reconnection: true });
  await socket.inbox.next("auth");
  see([await reason(socket), await gone()]);
  see(socket.active);
}

// Clients that are disconnected at every step of their upgrade, where they have one. The WebSocket
// is the slower one, so that they wait for it, with their polling paused.
export async function serverDisconnectsSoon(scene, see) {
  const proxy = await scene.proxy();
  proxy.latency = { polling: 1, websocket: 2 };
  for (const through of [undefined, proxy]) {
    for (let milliseconds = 0; milliseconds <= 5; milliseconds += 1) {
      const sockets = Array.from({ length: 10 }, () =>
        scene.open("/", { through, auth: { unwelcomeAfter: milliseconds } }),
      );
      const seen = sockets.map(async (socket) => {
        const last = [];
        socket.on("last", (number) => last.push(number));
        socket.on("connect", () => socket.emit("number", 1)); // it may cross the disconnect
        return [await reason(socket), last, socket.active];
      });
      const kinds = new Set((await Promise.all(seen)).map((each) => JSON.stringify(each)));
      see([...kinds].map(JSON.parse));
    }
  }
}

export async function clientDisconnects(scene, see) {
  const name = scene.name();
  const gone = await scene.watch(name);
  const socket = await scene.connect("/", { auth: { name } });
  socket.emit("number", 1);
  socket.disconnect();
  see(await reason(socket));
  see(await gone());
}

export async function clientClosesItsEngine(scene, see) {
  const name = scene.name();
  const gone = await scene.watch(name);
  const socket = await scene.connect("/", { auth: { name } });
  socket.io.engine.close();
  see(await reason(socket));
  see(await gone());
}

export async function clientLeavesAtOnce(scene, see) {
  const name = scene.name();
  const gone = await scene.watch(name);
  const socket = scene.open("/", { auth: { name } });
  await socket.inbox.next("connect"); // with an upgrade: in the midst of it
  socket.disconnect();
  see(await reason(socket));
  see(await gone());
}

// Between two polls the client has no connection that could break, and just before the end of an
// upgrade the server has two.
async function inTheServersHands(socket, proxy) {
  const [transport] = await ask(socket, "transport");
  if (transport === "polling") {
    await proxy.request("GET");
  }
}

export async function networkIsCut(scene, see) {
  const name = scene.name();
  const gone = await scene.watch(name);
  const proxy = await scene.proxy();
  const socket = await scene.connect("/", { auth: { name }, through: proxy });
  await inTheServersHands(socket, proxy);
  proxy.cut();
  see(await reason(socket));
  see(await gone());
}

export async function reconnection(scene, see) {
  const proxy = await scene.proxy();
  let attempt = 0;
  const socket = await scene.connect("/", {
    auth: (answer) => answer({ attempt: (attempt += 1) }),
    through: proxy,
    reconnection: true,
    reconnectionDelay: 10,
    reconnectionDelayMax: 10,
  });
  see(await socket.inbox.next("auth"));
  const first = socket.id;
  const attempted = happening(socket.io, "reconnect_attempt");
  await inTheServersHands(socket, proxy);
  proxy.cut();
  see(await reason(socket));
  socket.emit("echo", "said while away");
  see(await attempted);
  await socket.inbox.next("connect");
  see(await socket.inbox.next("auth"));
  see(await socket.inbox.next("echo back"));
  see(socket.id !== first);
}

export async function heartbeat(scene, see) {
  const socket = await scene.connect();
  for (let pings = 0; pings < 6; pings += 1) {
    await happening(socket.io, "ping");
  }
  see(await ask(socket, "single", "still here"));
}

export async function clientFallsSilent(scene, see) {
  const name = scene.name();
  const gone = await scene.watch(name);
  const proxy = await scene.proxy();
  const socket = await scene.connect("/", { auth: { name }, through: proxy });
  proxy.silence("client");
  see(await gone());
  await reason(socket); // which one depends on who loses patience first
}

export async function serverFallsSilent(scene, see) {
  const proxy = await scene.proxy();
  const socket = await scene.connect("/", { through: proxy });
  proxy.silence("server");
  see(await reason(socket));
}
