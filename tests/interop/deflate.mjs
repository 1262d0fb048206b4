// npm's `ws`, offering permessage-deflate to an Engine.IO server that echoes: what came back.
// One line of JSON for each way of offering it: what was agreed to, the lengths of the messages,
// the bytes that the server sent, and the close code.

import WebSocket from "ws";

const url = `ws://127.0.0.1:${process.argv[2]}/engine.io/?EIO=4&transport=websocket`;
const text = "4" + "hello ".repeat(2000);
const bytes = Buffer.alloc(20000, 7);
const small = "4small";

function talk(name, options, messages) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, options);
    const lengths = [];
    let received = 0;
    socket.on("upgrade", (response) => {
      const raw = response.socket;
      const before = raw.bytesRead;
      socket.on("close", () => (received = raw.bytesRead - before));
    });
    socket.on("open", () => messages.forEach((message) => socket.send(message)));
    socket.on("message", (data) => {
      lengths.push(data.length);
      // The first message is the handshake.
      if (lengths.length === messages.length + 1) socket.close();
    });
    socket.on("close", (code) => {
      const agreed = socket.extensions;
      lengths.shift();
      setImmediate(() => {
        console.log(JSON.stringify({ name, agreed, lengths, few: received < 5000, code }));
        resolve();
      });
    });
  });
}

const eager = { threshold: 0 };
await talk("offered", { perMessageDeflate: true }, [text, small, bytes, text]);
await talk("eager", { perMessageDeflate: eager }, [text, small, bytes, small]);
await talk("small window", { perMessageDeflate: { ...eager, clientMaxWindowBits: 9 } }, [text]);
await talk("our window", { perMessageDeflate: { serverMaxWindowBits: 10 } }, [text]);
await talk("not offered", { perMessageDeflate: false }, [text]);
await talk("exactly", { perMessageDeflate: eager }, [Buffer.alloc(100000)]);
await talk("bomb", { perMessageDeflate: eager }, [Buffer.alloc(100001)]);
