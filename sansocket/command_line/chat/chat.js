// The page of `sansocket serve`: plain JavaScript, no framework, no build.
// What other people wrote reaches the document only through textContent.

const ANSWER_TIMEOUT = 8000; // milliseconds, as every time in this file
const TYPING_EVERY = 2000; // at most one typing notice in this time
const TYPING_LASTS = 5000; // a notice that nobody renewed is over

// The server's own copy of the official client, or the public one.
const CLIENTS = [
  { src: "socket.io/socket.io.min.js" },
  { src: "socket.io/socket.io.js" },
  {
    src: "https://cdn.socket.io/4.8.1/socket.io.min.js",
    integrity: "sha384-mkQ3/7FUtcGyoppY6bz/PORYoGqOl7/aSUMn2ymDOJcapfS6PHqxhRTMh1RR0Q6+",
    crossOrigin: "anonymous",
  },
];

const $ = (id) => document.getElementById(id);

function element(tag, text = "", attributes = {}) {
  const node = Object.assign(document.createElement(tag), attributes);
  node.textContent = text;
  return node;
}

function randomId(bytes) {
  // Not crypto.randomUUID: a page from another machine's plain http has none.
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

// --- What the page remembers ------------------------------------------------

const me = {
  wish: sessionStorage.getItem("name") ?? "", // the name asked for; a tab has its own
  name: "", // the name that the server gave
  room: "", // the room that the server let us into; "" while we are in none
};
const outbox = new Map(); // key -> {key, room, text, item}: written, and not known to be delivered
const mine = new Set(JSON.parse(sessionStorage.getItem("mine") ?? "[]")); // keys of our own messages
const people = new Set();
const typists = new Map(); // name -> the timer that ends its notice
let unread = 0;

// --- The connection ---------------------------------------------------------

async function loadClient() {
  for (const attributes of CLIENTS) {
    const script = Object.assign(document.createElement("script"), attributes);
    const loaded = new Promise((resolve) => {
      script.onload = () => resolve(true);
      script.onerror = () => resolve(false);
    });
    document.head.append(script);
    if (await loaded) return window.io;
  }
  showConnection("lost", "No Socket.IO client");
  showBanner(
    "The Socket.IO client could be loaded neither from this server nor from cdn.socket.io. " +
      "Run “npm install socket.io-client” where you start the server, or give it --client PATH.",
  );
  $("reconnect").hidden = $("composer").hidden = true;
  throw new Error("no Socket.IO client");
}

const io = await loadClient();

// `page` tells the server, after a lost connection, that it is us again.
const socket = io({ auth: { page: randomId(16) } });

async function ask(event, request) {
  try {
    return await socket.timeout(ANSWER_TIMEOUT).emitWithAck(event, request);
  } catch {
    return undefined; // no answer in time, or the connection went first
  }
}

socket.io.on("open", () => {
  const { engine } = socket.io;
  const since = performance.now();
  showTransports(engine.transport.name);
  engine.on("upgrade", (transport) => {
    const after = Math.round(performance.now() - since);
    showTransports("polling", transport.name, `upgraded after ${after} ms`);
  });
});

socket.on("connect", () => {
  showConnection("connected", "Connected");
  $("banner").hidden = true;
  if (me.wish) join();
});

socket.on("disconnect", (reason) => {
  me.room = "";
  for (const name of typists.keys()) stopped(name);
  showConnection("lost", "Disconnected");
  showTransports();
  showBanner("The connection is lost. What you write now is sent when it is back.");
  // The one disconnect after which the client does not try again by itself.
  if (reason === "io server disconnect") setTimeout(() => socket.connect(), 1000);
});

socket.on("connect_error", (error) => {
  if (!socket.active) return showBanner(`The server refuses the connection: ${error.message}`);
  showConnection("lost", "Disconnected");
  showBanner("The server does not answer. What you write now is sent when it is back.");
});

socket.io.on("reconnect_attempt", (attempt) => {
  showConnection("lost", `Reconnecting, attempt ${attempt}`);
});

$("reconnect").onclick = () => socket.disconnect().connect();

function showConnection(state, text) {
  document.body.dataset.connection = state;
  $("connection-text").textContent = text;
}

function showTransports(first, second, title = "") {
  const trail = [first, second].filter(Boolean).map((name) => element("span", name));
  if (second) trail.splice(1, 0, element("i", "→"));
  $("trail").replaceChildren(...trail);
  $("trail").title = title;
}

function showBanner(text) {
  $("banner").hidden = false;
  $("banner-text").textContent = text;
}

// --- Rooms and people -------------------------------------------------------

function roomInHash() {
  try {
    return decodeURIComponent(location.hash.slice(1)).trim() || "lobby";
  } catch {
    return "lobby"; // a stray % in the address
  }
}

function hash(room) {
  return `#${encodeURIComponent(room)}`;
}

let joins = 0;

async function join() {
  const before = me.room;
  me.room = "";
  const turn = ++joins;
  const answer = await ask("join", { name: me.wish, room: roomInHash() });
  if (turn !== joins) return; // another room was asked for meanwhile
  if (!answer?.ok) {
    if (socket.connected) welcome(answer?.error ?? "The server does not answer.");
    if (answer) me.room = before; // refused, we are where we were
    return;
  }
  Object.assign(me, { name: answer.name, room: answer.room });
  history.replaceState(null, "", hash(me.room));
  people.clear();
  for (const name of answer.people) people.add(name);
  for (const name of typists.keys()) stopped(name);
  $("welcome").close();
  showRoom();
  showPeople();
  showHistory(answer.history);
  for (const entry of outbox.values()) if (entry.room === me.room) deliver(entry);
}

socket.on("rooms", (rooms) => {
  $("rooms").replaceChildren(
    ...rooms.map(({ name, people }) => {
      const link = element("a", "", { href: hash(name) });
      link.append(element("span", name), element("span", people, { className: "count" }));
      link.lastChild.ariaLabel = `${people} here`;
      const item = element("li");
      item.append(link);
      return item;
    }),
  );
  markRoom();
});

socket.on("joined", (name) => {
  people.add(name);
  showPeople();
  append(element("li", `${name} joined`, { className: "notice" }));
});

socket.on("left", (name) => {
  people.delete(name);
  stopped(name);
  showPeople();
  append(element("li", `${name} left`, { className: "notice" }));
});

function showRoom() {
  $("room-title").textContent = `# ${me.room}`;
  $("text").placeholder = `Write to ${me.room}`;
  showTitle();
  markRoom();
}

function markRoom() {
  for (const link of $("rooms").querySelectorAll("a")) {
    if (link.firstChild.textContent === me.room) link.ariaCurrent = "page";
    else link.ariaCurrent = null;
  }
}

function showTitle() {
  const room = me.room ? `${me.room} · ` : "";
  document.title = `${unread ? `(${unread}) ` : ""}${room}sansocket chat`;
}

function showPeople() {
  $("people-count").textContent = `${people.size} ${people.size === 1 ? "person" : "people"}`;
  $("people").replaceChildren(
    ...Array.from(people, (name) => {
      const item = element("li");
      item.append(avatar(name), element("span", name, { className: "name" }));
      if (name === me.name) {
        const change = element("button", "change", { type: "button" });
        change.ariaLabel = "Change your name";
        change.onclick = () => welcome();
        item.append(change);
      }
      return item;
    }),
  );
}

function avatar(name) {
  const node = element("span", [...name][0].toUpperCase(), { className: "avatar", ariaHidden: "true" });
  paint(node, name);
  return node;
}

function paint(node, name) {
  const hue = [...name].reduce((sum, character) => (sum * 31 + character.codePointAt(0)) % 360, 7);
  node.style.setProperty("--hue", hue);
}

// --- Messages ---------------------------------------------------------------

function send(text) {
  const entry = { key: randomId(8), room: me.room || roomInHash(), text };
  entry.item = draw({ name: me.name, text, time: Date.now() }, true);
  entry.item.querySelector("button").onclick = () => deliver(entry);
  outbox.set(entry.key, entry);
  mine.add(entry.key);
  sessionStorage.setItem("mine", JSON.stringify([...mine].slice(-200)));
  $("messages").append(entry.item);
  group();
  scrollToEnd();
  deliver(entry);
}

// May be called again for the same entry: the server knows its key.
async function deliver(entry) {
  if (me.room !== entry.room) return mark(entry, "waiting", "waits for the connection");
  mark(entry, "sending", "sending…");
  const answer = await ask("message", { key: entry.key, text: entry.text });
  if (answer?.ok) {
    outbox.delete(entry.key);
    entry.item.remove();
    append(draw(answer.message, true));
  } else if (answer) {
    mark(entry, "refused", `not delivered: ${answer.error}`);
  } else if (socket.connected) {
    mark(entry, "failed", "the server did not answer");
  } else {
    mark(entry, "waiting", "waits for the connection");
  }
}

function mark({ item }, state, text) {
  item.dataset.state = state;
  item.querySelector(".state-text").textContent = text;
  item.querySelector("button").hidden = state !== "failed" && state !== "refused";
}

socket.on("message", (message) => {
  stopped(message.name);
  append(draw(message, false));
  if (document.hidden) {
    unread += 1;
    showTitle();
  }
});

document.onvisibilitychange = () => {
  if (document.hidden) return;
  unread = 0;
  showTitle();
};

function showHistory(messages) {
  // Read aloud is what comes from now on, not what was said before.
  $("log").ariaBusy = "true";
  for (const { key } of messages) outbox.delete(key); // it did arrive, only its acknowledgement did not
  $("messages").replaceChildren(
    ...messages.map((message) => draw(message, mine.has(message.key))),
    element("li", `You are in ${me.room} as ${me.name}.`, { className: "notice" }),
    ...[...outbox.values()].filter(({ room }) => room === me.room).map(({ item }) => item),
  );
  group();
  scrollToEnd();
  $("log").ariaBusy = null;
}

function draw({ name, text, time }, own) {
  const item = $("message").content.cloneNode(true).firstElementChild;
  const when = new Date(time);
  item.dataset.name = name;
  item.classList.toggle("own", own);
  if (own) mark({ item }, "delivered", "delivered");
  item.querySelector("b").textContent = own ? "You" : name;
  item.querySelector("time").textContent = when.toLocaleTimeString([], { timeStyle: "short" });
  item.querySelector("time").dateTime = when.toISOString();
  item.querySelector(".text").textContent = text;
  item.querySelector(".avatar").textContent = [...name][0]?.toUpperCase() ?? "";
  paint(item.querySelector(".avatar"), name);
  return item;
}

// Before the messages that wait for delivery: the page's order is the server's.
function append(item) {
  const pending = $("messages").querySelector(".own:not([data-state=delivered])");
  $("messages").insertBefore(item, pending);
  while ($("messages").childElementCount > 500) $("messages").firstElementChild.remove();
  group();
  if (following || item.classList.contains("own")) scrollToEnd();
  else $("newer").hidden = false;
}

// One name and one face for several messages in a row.
function group() {
  let before;
  for (const item of $("messages").children) {
    const own = item.classList.contains("own");
    item.classList.toggle(
      "continued",
      Boolean(before?.dataset.name) && before.dataset.name === item.dataset.name && before.classList.contains("own") === own,
    );
    before = item;
  }
}

// Stay at the end of the log, unless somebody has scrolled up to read.
let following = true;

function scrollToEnd() {
  $("log").scrollTop = $("log").scrollHeight;
  $("newer").hidden = true;
}

$("log").onscroll = () => {
  const { scrollHeight, scrollTop, clientHeight } = $("log");
  following = scrollHeight - scrollTop - clientHeight < 60;
  if (following) $("newer").hidden = true;
};
$("newer").onclick = scrollToEnd;

const resized = new ResizeObserver(() => following && scrollToEnd());
resized.observe($("log"));
resized.observe($("messages"));

// --- Typing notices ---------------------------------------------------------

let noticeSent = 0; // when; 0: the others do not see us typing

function iAmTyping(typing) {
  const now = Date.now();
  if (typing ? now - noticeSent < TYPING_EVERY : !noticeSent) return;
  noticeSent = typing ? now : 0;
  // Not worth keeping for later: volatile.
  if (me.room) socket.volatile.emit("typing", typing);
}

socket.on("typing", (name, typing) => {
  stopped(name);
  if (typing) typists.set(name, setTimeout(stopped, TYPING_LASTS, name));
  showTypists();
});

function stopped(name) {
  clearTimeout(typists.get(name));
  if (typists.delete(name)) showTypists();
}

function showTypists() {
  const names = [...typists.keys()];
  const who = names.length > 2 ? "Several people" : names.join(" and ");
  $("typing").textContent = names.length ? `${who} ${names.length > 1 ? "are" : "is"} typing…` : "";
}

// --- Events on the wire -----------------------------------------------------

function showEvent(arrow, args) {
  const json = JSON.stringify(args);
  const item = element("li", json.length > 160 ? `${json.slice(0, 160)}…` : json);
  item.prepend(element("b", `${arrow} `));
  $("events").prepend(item);
  while ($("events").childElementCount > 40) $("events").lastElementChild.remove();
}

socket.onAny((...args) => showEvent("←", args));
socket.onAnyOutgoing((...args) => showEvent("→", args));

// --- Keyboard and forms -----------------------------------------------------

function welcome(error = "") {
  showMenu(false);
  $("name").value = me.wish || suggestName();
  $("room").value = roomInHash();
  $("enter-error").textContent = error;
  if (!$("welcome").open) $("welcome").showModal();
  $("name").select();
}

function suggestName() {
  const pick = (words) => words[Math.floor(Math.random() * words.length)];
  return `${pick(["Amber", "Brave", "Calm", "Keen", "Lucky", "Merry", "Quick", "Wise"])} ${pick(["Badger", "Crane", "Falcon", "Heron", "Lynx", "Marten", "Otter", "Puffin"])}`;
}

$("enter").onsubmit = (event) => {
  event.preventDefault();
  me.wish = $("name").value;
  sessionStorage.setItem("name", me.wish);
  enterRoom($("room").value);
};

// There is nothing behind the dialog for somebody who is in no room.
$("welcome").oncancel = (event) => {
  if (!people.size) event.preventDefault();
};

$("open-room").onsubmit = (event) => {
  event.preventDefault();
  enterRoom($("new-room").value);
  $("new-room").value = "";
};

function enterRoom(name) {
  history.pushState(null, "", hash(name.trim()));
  moved();
}

function moved() {
  showMenu(false);
  if (!me.wish) return;
  iAmTyping(false);
  if (socket.connected) join();
  $("text").focus();
}

window.onhashchange = moved;

$("composer").onsubmit = (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  fitText();
  noticeSent = 0; // the message itself says that the typing is over
  send(text);
  $("text").focus();
};

$("text").onkeydown = (event) => {
  // While an input method composes, Enter chooses a word.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("composer").requestSubmit();
};

$("text").oninput = () => {
  fitText();
  iAmTyping($("text").value.trim() !== "");
};

function fitText() {
  $("text").style.height = "auto";
  $("text").style.height = `${$("text").scrollHeight + 2}px`;
}

function showMenu(open) {
  $("menu").ariaExpanded = String(open);
  $("side").classList.toggle("open", open);
  document.querySelector("main").inert = open;
}

$("menu").onclick = () => showMenu($("menu").ariaExpanded !== "true");
document.onkeydown = (event) => {
  if (event.key === "Escape") showMenu(false);
};

if (!me.wish) welcome();
