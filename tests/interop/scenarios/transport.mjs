// What the transports make hard: the upgrade under load, and size.
import { ask } from "./scene.mjs";

const tick = () => new Promise((resolve) => setTimeout(resolve, 1));
const inOrder = (numbers) => numbers.every((number, index) => number === index);

// Both sides number what they send, from before the upgrade until well after it. The WebSocket is
// the slower one, so that there is much polling at every step of the upgrade.
export async function upgradeInFlight(scene, see) {
  const proxy = await scene.proxy();
  proxy.latency = { polling: 3, websocket: 30 };
  const socket = scene.open("/", { through: proxy });
  const carrier = () => socket.io.engine.transport.name;
  const carriers = { sent: new Set(), received: new Set() };
  const pushed = [];
  socket.on("pushed", (number, data) => {
    carriers.received.add(carrier());
    pushed.push(number % 5 || Buffer.from([1, 2, 3]).equals(data) ? number : "broken");
  });
  await socket.inbox.next("connect");
  socket.emit("push");
  let settled = false;
  scene.settled(socket).then(() => (settled = true));
  let sent = 0;
  for (let afterwards = 0; afterwards < 200; afterwards += settled ? 1 : 0) {
    carriers.sent.add(carrier());
    socket.emit("number", sent, sent % 7 ? "text" : Buffer.from([sent % 256]));
    sent += 1;
    await tick();
  }
  socket.emit("enough");
  const [inAll] = await socket.inbox.next("pushed in all");
  const [numbers] = await ask(socket, "numbers");
  see({ sent: [...carriers.sent], received: [...carriers.received] });
  see({ pushed: [pushed.length === inAll, inOrder(pushed)] });
  see({ numbers: [numbers.length === sent, inOrder(numbers)] });
}

export async function askedDuringTheUpgrade(scene, see) {
  const proxy = await scene.proxy();
  proxy.latency = { polling: 3, websocket: 15 };
  const socket = scene.open("/", { through: proxy });
  await socket.inbox.next("connect");
  const settled = scene.settled(socket);
  const answers = [];
  while (answers.length < 15) {
    answers.push((await ask(socket, "single", answers.length))[0]);
  }
  await settled;
  see(inOrder(answers));
  see(await ask(socket, "transport"));
}

async function echoes(socket, value) {
  socket.emit("echo", value);
  const [back] = await socket.inbox.next("echo back");
  return typeof value === "string" ? back === value : Buffer.from(back).equals(value);
}

export async function largeText(scene, see) {
  const socket = await scene.connect();
  see(await echoes(socket, "x".repeat(900_000)));
  see(await echoes(socket, "€".repeat(300_000)));
  see(await echoes(socket, "small"));
}

export async function largeBinary(scene, see) {
  const socket = await scene.connect();
  // The limit counts what is on the wire, and polling writes four characters for three bytes.
  const size = scene.transports === "polling" ? 700_000 : 900_000;
  see(await echoes(socket, Buffer.alloc(size, "0123456789")));
  see(await echoes(socket, Buffer.from("small")));
}

export async function largeFromTheServer(scene, see) {
  const socket = await scene.connect();
  for (const [kind, size] of [["text", 900_000], ["binary", 900_000], ["text", 3_000_000]]) {
    socket.emit("generate", kind, size);
    const [value] = await socket.inbox.next("generated");
    see([kind, value.length]);
  }
}

export async function manyLargeTexts(scene, see) {
  const socket = await scene.connect();
  for (let number = 0; number < 20; number += 1) {
    socket.emit("echo", number, "x".repeat(200_000));
  }
  const received = [];
  while (received.length < 20) {
    const [number, text] = await socket.inbox.next("echo back");
    received.push(text.length === 200_000 ? number : "broken");
  }
  see(inOrder(received));
}

export async function overTheLimit(scene, see) {
  const name = scene.name();
  const gone = await scene.watch(name);
  const socket = await scene.connect("/", { auth: { name } });
  socket.emit("echo", "x".repeat(1_000_001));
  see((await socket.inbox.next("disconnect"))[0]);
  see(await gone());
  const other = await scene.connect();
  see(await ask(other, "single", "the server lives"));
}
