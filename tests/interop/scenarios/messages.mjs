// Events and their arguments, both ways.
import { ask } from "./scene.mjs";

async function echo(socket, see, ...args) {
  socket.emit("echo", ...args);
  see(await socket.inbox.next("echo back"));
}

export async function argumentsOfEveryKind(scene, see) {
  const socket = await scene.connect();
  await echo(socket, see);
  await echo(socket, see, null);
  await echo(socket, see, true, false, 0, -1, 1.5, 2 ** 53 - 1, -(2 ** 31), 1e-7, "", "text");
  await echo(socket, see, [], {}, [[]], { "": { a: [1, { b: null }] } }, { _placeholder: true, num: 0 });
  await echo(socket, see, ...Array.from({ length: 50 }, (_, index) => index));
}

export async function valuesOfJavaScriptAlone(scene, see) {
  const socket = await scene.connect();
  await echo(socket, see, undefined, NaN, Infinity, -0, new Date(0), new Map([[1, 2]]), { a: undefined });
  await echo(socket, see, 2 ** 64, 1e21, 5e-324, Number.MAX_VALUE);
}

export async function unicode(scene, see) {
  const socket = await scene.connect();
  await echo(socket, see, "héllo wörld €", "日本語", "🎉👩‍👩‍👧", "\u0000\u0001\u007f\u0085\ufeff\uffff");
  await echo(socket, see, "a\u2028b\u2029c", 'quotes " and \\ and /', "\t\r\n", "\u001e");
  await echo(socket, see, { "clé 🔑": "valeur" });
  socket.emit("événement 🎉", "named");
  see(await socket.inbox.next("echo back"));
}

export async function loneSurrogates(scene, see) {
  const socket = await scene.connect();
  await echo(socket, see, "\ud800", "a\udc00b", "\udc00\ud800", { "\udfff": "🎉\ud83c" });
}

export async function message(scene, see) {
  const socket = await scene.connect();
  socket.send("one", 2);
  see(await socket.inbox.next("message"));
}

export async function manyInOrder(scene, see) {
  const socket = await scene.connect();
  const sent = Array.from({ length: 300 }, (_, index) => index);
  for (const number of sent) {
    socket.emit("number", number);
    socket.emit("echo", number);
  }
  const received = [];
  while (received.length < sent.length) {
    received.push(...(await socket.inbox.next("echo back")));
  }
  see(received);
  see((await ask(socket, "numbers"))[0]);
}

export async function binary(scene, see) {
  const socket = await scene.connect();
  const all = Uint8Array.from({ length: 256 }, (_, index) => index);
  await echo(socket, see, Buffer.from([1, 2, 3]));
  await echo(socket, see, all);
  await echo(socket, see, new Uint8Array([4, 5]).buffer, Buffer.alloc(0));
  await echo(socket, see, all.slice(250), "text", Buffer.from("é"), null);
  await echo(socket, see, { deep: [{ er: Buffer.from([6]) }, [[Buffer.from([7])]]], plain: [1] });
}

export async function tenAttachments(scene, see) {
  const socket = await scene.connect();
  await echo(socket, see, ...Array.from({ length: 10 }, (_, index) => Buffer.from([index])));
  await echo(socket, see, "still here");
}

export async function elevenAttachments(scene, see) {
  const socket = await scene.connect();
  socket.emit("echo", ...Array.from({ length: 11 }, () => Buffer.from([1])));
  see((await socket.inbox.next("disconnect"))[0]);
}

export async function binaryBetweenText(scene, see) {
  const socket = await scene.connect();
  const received = [];
  for (let number = 0; number < 60; number += 1) {
    socket.emit("echo", number, number % 3 ? "text" : Buffer.from([number, 0]), Buffer.from([number]));
  }
  while (received.length < 60) {
    const [number, first, second] = await socket.inbox.next("echo back");
    const whole = number % 3 ? first === "text" : Buffer.from([number, 0]).equals(first);
    received.push(whole && Buffer.from([number]).equals(second) ? number : "broken");
  }
  see(received);
}

export async function volatile(scene, see) {
  const socket = await scene.connect();
  // A volatile event may be lost by right, so ask until one arrives, and no longer.
  const asking = setInterval(() => socket.emit("volatile", { from: "server" }), 20);
  see(await socket.inbox.next("volatile").finally(() => clearInterval(asking)));
  socket.volatile.emit("number", 1);
  await echo(socket, see, "after");
}

export async function failingHandler(scene, see) {
  const socket = await scene.connect();
  const other = await scene.connect();
  socket.emit("fail");
  await echo(socket, see, "the same connection");
  await echo(other, see, "another connection");
  see(await ask(socket, "acknowledge", "acknowledged"));
}

export async function unknownEvent(scene, see) {
  const socket = await scene.connect();
  socket.emit("nobody listens", 1);
  await echo(socket, see, "still here");
}

export async function reservedNamesAreNotSent(scene, see) {
  const socket = await scene.connect();
  for (const name of ["connect", "connect_error", "disconnect", "disconnecting", "newListener"]) {
    try {
      socket.emit(name);
    } catch (error) {
      see(error.message);
    }
  }
  await echo(socket, see, "other names are not reserved");
}

export async function reservedNameFromTheWire(scene, see) {
  const name = scene.name();
  const gone = await scene.watch(name);
  for (const event of ["connect", "disconnect", "connect_error", "disconnecting"]) {
    const socket = await scene.connect("/", { auth: { name } });
    // The client's own check is passed by: what it would never send.
    socket.io._packet({ type: 2, nsp: "/", data: [event, "forged"] });
    see([event, (await socket.inbox.next("disconnect"))[0]]);
    await gone();
  }
}
