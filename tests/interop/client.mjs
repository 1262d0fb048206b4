// Runs scenarios with npm's socket.io-client, as told on standard input.
//
// In:  one JSON line for each run: {"scenario", "transports", "setup", "url"}.
// Out: a JSON line for each observation, {"seen": …}, then {"done": true} or {"failed": "why"}.
import { createInterface } from "node:readline";
import * as acknowledgements from "./scenarios/acknowledgements.mjs";
import * as connection from "./scenarios/connection.mjs";
import * as messages from "./scenarios/messages.mjs";
import * as rooms from "./scenarios/rooms.mjs";
import * as transport from "./scenarios/transport.mjs";
import { Scene } from "./scenarios/scene.mjs";

const scenarios = { ...acknowledgements, ...connection, ...messages, ...rooms, ...transport };

// What JSON cannot say, said so that Python can compare it.
function describe(key, value) {
  const original = this[key];
  if (original instanceof Uint8Array || original instanceof ArrayBuffer) {
    return { binary: Buffer.from(original).toString("hex") };
  }
  return original === undefined ? { undefined: true } : value;
}

const print = (line) => process.stdout.write(`${JSON.stringify(line, describe)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const { scenario, ...settings } = JSON.parse(line);
  const scene = new Scene(settings);
  try {
    await scenarios[scenario](scene, (seen) => print({ seen }));
    print({ done: true });
  } catch (error) {
    print({ failed: error.stack });
  }
  scene.close();
}
