// Namespaces, rooms and broadcasts.
import { ask } from "./scene.mjs";

// What each socket received of what the sender asked for: a marker, asked for last and sent to all,
// ends the wait, so what is not in the list was not sent.
async function received(sockets, sender = sockets[0]) {
  const marker = `marker of ${sender.id}`;
  sender.emit("send to all", marker);
  return Promise.all(
    sockets.map(async (socket) => {
      const events = await socket.inbox.until(marker);
      return events.filter(([name]) => name !== "auth" && name !== "connect");
    }),
  );
}

async function threeSockets(scene) {
  return Promise.all([scene.connect(), scene.connect(), scene.connect()]);
}

export async function room(scene, see) {
  const [a, b, c] = await threeSockets(scene);
  const name = scene.name();
  await ask(a, "join", [name]);
  await ask(b, "join", [name]);
  c.emit("send to", [name], [], "news", 1, { two: Buffer.from([2]) });
  see(await received([a, b, c], c));
  await ask(b, "leave", name);
  c.emit("send to", [name], [], "more news");
  see(await received([a, b, c], c));
}

export async function roomsOfASocket(scene, see) {
  const socket = await scene.connect();
  see(await ask(socket, "rooms"));
  await ask(socket, "join", ["one", "two"]);
  await ask(socket, "join", ["two"]);
  see(await ask(socket, "rooms"));
  await ask(socket, "leave", "one");
  await ask(socket, "leave", "never joined");
  see(await ask(socket, "rooms"));
}

export async function severalRoomsDeliverOnce(scene, see) {
  const [a, b, c] = await threeSockets(scene);
  const [one, two] = [scene.name(), scene.name()];
  await ask(a, "join", [one, two]);
  await ask(b, "join", [two]);
  a.emit("send to", [one, two], [], "once");
  see(await received([a, b, c]));
}

export async function exceptARoom(scene, see) {
  const [a, b, c] = await threeSockets(scene);
  const [all, some] = [scene.name(), scene.name()];
  for (const socket of [a, b, c]) {
    await ask(socket, "join", [all]);
  }
  await ask(b, "join", [some]);
  a.emit("send to", [all], [some], "not to b");
  a.emit("send to", [all], [some, c.id], "to a alone");
  see(await received([a, b, c]));
}

export async function toASocketById(scene, see) {
  const [a, b, c] = await threeSockets(scene);
  a.emit("send to", [b.id], [], "private");
  see(await received([a, b, c]));
}

export async function roomWithoutMembers(scene, see) {
  const [a, b] = await threeSockets(scene);
  a.emit("send to", [scene.name()], [], "to nobody");
  see(await received([a, b]));
}

export async function broadcast(scene, see) {
  const [a, b, c] = await threeSockets(scene);
  a.emit("broadcast", "to others", 1, Buffer.from([1]));
  see(await received([a, b, c]));
}

export async function othersInARoom(scene, see) {
  const [a, b, c] = await threeSockets(scene);
  const name = scene.name();
  await ask(a, "join", [name]);
  await ask(b, "join", [name]);
  a.emit("send to others in", [name], "to b alone");
  see(await received([a, b, c]));
}

export async function roomsForgetWhoLeft(scene, see) {
  const name = scene.name();
  const gone = await scene.watch(name);
  const [a, b] = [await scene.connect("/", { auth: { name } }), await scene.connect()];
  await ask(a, "join", [name]);
  a.disconnect();
  await gone();
  const again = await scene.connect();
  b.emit("send to", [name], [], "to nobody");
  see(await received([b, again]));
}

export async function broadcastIsAcknowledged(scene, see) {
  const [a, b, c] = await threeSockets(scene);
  const name = scene.name();
  for (const [socket, answer] of [[a, "of a"], [b, "of b"]]) {
    await ask(socket, "join", [name]);
    socket.on("question", (ack) => ack(answer));
  }
  const [outcome, answers] = await ask(c, "collect", name, 5000, "question");
  see([outcome, answers.sort()]);
}

export async function broadcastIsAcknowledgedBySome(scene, see) {
  const [a, b, c] = await threeSockets(scene);
  const name = scene.name();
  await ask(a, "join", [name]);
  await ask(b, "join", [name]);
  a.on("question", (ack) => ack("of a"));
  see(await ask(c, "collect", name, 200, "question"));
}

export async function namespacesShareAConnection(scene, see) {
  const main = await scene.connect();
  const chat = scene.beside(main, "/chat");
  const news = scene.beside(main, "/news");
  see(await chat.inbox.next("welcome"));
  see(await news.inbox.next("welcome"));
  see(new Set([main.id, chat.id, news.id]).size);
  for (const socket of [main, chat, news]) {
    socket.emit("echo", socket.nsp, Buffer.from(socket.nsp));
    const [name, bytes] = await socket.inbox.next("echo back");
    see([name, Buffer.from(bytes).toString()]);
  }
}

export async function namespacesAreSeparate(scene, see) {
  const main = await scene.connect();
  const chat = scene.beside(main, "/chat");
  await chat.inbox.next("welcome");
  chat.emit("send to all", "in chat");
  await chat.inbox.next("in chat");
  see(await received([main]));
}

export async function unknownNamespace(scene, see) {
  const main = await scene.connect();
  for (const name of ["/unknown", "/chat/", "/Chat", "/chat?query"]) {
    const socket = scene.beside(main, name);
    const [error] = await socket.inbox.next("connect_error");
    see([name, error.message, error.data]);
  }
  see(await ask(main, "single", "the others live"));
}

export async function leaveOneNamespace(scene, see) {
  const name = scene.name();
  const gone = await scene.watch(name);
  const main = await scene.connect();
  const chat = scene.beside(main, "/chat", { auth: { name } });
  await chat.inbox.next("welcome");
  chat.disconnect();
  see((await chat.inbox.next("disconnect"))[0]);
  see(await gone());
  see(await ask(main, "single", "the others live"));
  chat.connect();
  see(await chat.inbox.next("welcome"));
}

export async function serverEndsOneNamespace(scene, see) {
  const main = await scene.connect();
  const chat = scene.beside(main, "/chat");
  await chat.inbox.next("welcome");
  chat.emit("disconnect me", false);
  see((await chat.inbox.next("disconnect"))[0]);
  see(await ask(main, "single", "the others live"));
}

export async function middlewareOfANamespace(scene, see) {
  const main = await scene.connect("/", { auth: { token: "not of admins" } });
  const admin = scene.beside(main, "/admin", { auth: { token: "guessed" } });
  const [error] = await admin.inbox.next("connect_error");
  see([error.message, error.data]);
  admin.auth = { token: "secret" };
  admin.connect();
  see(await admin.inbox.next("welcome"));
}
