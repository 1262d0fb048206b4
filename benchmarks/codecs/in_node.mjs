// Time npm's socket.io-parser: node in_node.mjs FOLDER, whose node_modules holds the package.
// Prints JSON: the seconds of CPU for one packet, by what is done with it.
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";

const { Encoder, Decoder } = createRequire(resolve(process.argv[2], "package.json"))(
  "socket.io-parser",
);

const text = '2["echo",{"a":1,"b":"hello","c":[1,2,3]}]';
const encoder = new Encoder();
const decoder = new Decoder();
let decoded;
decoder.on("decoded", (packet) => (decoded = packet));

const data = ["echo", { a: 1, b: "hello", c: [1, 2, 3] }];
const tasks = {
  encode: () => encoder.encode({ type: 2, nsp: "/", data }),
  decode: () => decoder.add(text),
};

tasks.decode();
if (tasks.encode()[0] !== text || !isDeepStrictEqual(decoded.data, data)) {
  throw new Error("the parser does not do what is to be timed");
}

function seconds(task, calls) {
  const begin = process.cpuUsage();
  for (let i = 0; i < calls; i++) task();
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1e6 / calls;
}

const result = {};
for (const [name, task] of Object.entries(tasks)) {
  seconds(task, 200_000); // until it is compiled
  const values = Array.from({ length: 9 }, () => seconds(task, 50_000));
  result[name] = values.sort((a, b) => a - b)[4];
}
console.log(JSON.stringify(result));
