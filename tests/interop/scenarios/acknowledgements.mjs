// Acknowledgements, both ways.
import { ask } from "./scene.mjs";

export async function serverAcknowledges(scene, see) {
  const socket = await scene.connect();
  see(await ask(socket, "acknowledge", 1, "two", { three: [3] }));
  see(await ask(socket, "acknowledge"));
  see(await ask(socket, "single", "one"));
  see(await ask(socket, "single", ["a", "list"]));
  see(await ask(socket, "single", { an: "object" }));
  see(await ask(socket, "single", null));
  see(await ask(socket, "nothing"));
  see(await socket.emitWithAck("acknowledge", "first", "second"));
  see(await socket.timeout(1000).emitWithAck("single", "within the time"));
}

export async function serverAcknowledgesWithBinary(scene, see) {
  const socket = await scene.connect();
  see(await ask(socket, "single", Buffer.from([1, 2])));
  see(await ask(socket, "acknowledge", { a: [Buffer.from([3])] }, "b", Buffer.from([4])));
}

export async function serverAcknowledgesOnce(scene, see) {
  const socket = await scene.connect();
  socket.emit("twice", "value", (...values) => see(values));
  await socket.inbox.next("before");
  see(await ask(socket, "single", "after"));
}

export async function manyAcknowledgementsInFlight(scene, see) {
  const socket = await scene.connect();
  const numbers = Array.from({ length: 100 }, (_, index) => index);
  see(await Promise.all(numbers.map((number) => socket.emitWithAck("single", number))));
}

export async function unansweredInTime(scene, see) {
  const socket = await scene.connect();
  await socket
    .timeout(50)
    .emitWithAck("nobody listens")
    .catch((error) => see(error.message));
  see(await ask(socket, "single", "still here"));
}

export async function clientAcknowledges(scene, see) {
  const socket = await scene.connect();
  const answers = [[], ["one"], [1, "two", [3]], [["a", "list"]], [{ an: "object" }]];
  for (const answer of answers) {
    socket.once("question", (...args) => {
      see(args.slice(0, -1));
      args.at(-1)(...answer);
    });
    socket.emit("ask", "question", "how", { many: 1 });
    see(await socket.inbox.next("answer"));
  }
}

export async function clientAcknowledgesWithBinary(scene, see) {
  const socket = await scene.connect();
  socket.once("question", (data, ack) => {
    see(data);
    ack({ nested: [Buffer.from([1, 2])] }, Buffer.from([3]));
  });
  socket.emit("ask", "question", Buffer.from([9, 8]));
  see(await socket.inbox.next("answer"));
}

export async function clientAcknowledgesOutOfOrder(scene, see) {
  const socket = await scene.connect();
  const acks = [];
  socket.on("question", (number, ack) => {
    acks.unshift(() => ack(`answer ${number}`));
    if (acks.length === 2) {
      acks.forEach((answer) => answer());
    }
  });
  socket.emit("ask twice");
  see(await socket.inbox.next("answer"));
}

export async function clientAcknowledgesTooLate(scene, see) {
  const socket = await scene.connect();
  let answer;
  socket.on("question", (ack) => {
    answer = ack;
  });
  socket.emit("ask in vain");
  see(await socket.inbox.next("answer"));
  answer("too late");
  see(await ask(socket, "single", "still here"));
}

export async function clientLeavesInsteadOfAnswering(scene, see) {
  const name = scene.name();
  const gone = await scene.watch(name);
  const socket = await scene.connect("/", { auth: { name } });
  socket.on("question", () => socket.disconnect());
  socket.emit("ask", "question");
  see(await gone());
  const other = await scene.connect();
  see(await ask(other, "single", "the server lives"));
}
