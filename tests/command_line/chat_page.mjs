// Two people in two browser windows use the page of `sansocket serve`.
//
//     node chat_page.mjs URL CHROMIUM
//
// The first thing that does not come out as expected ends the run with an exit code of 1.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(new URL("../interop/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const [url, executablePath] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath,
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
const errors = [];

async function open(who) {
  const context = await browser.newContext();
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  page.on("pageerror", (error) => errors.push(`${who}: ${error}`));
  page.on("console", (message) => {
    const expected = message.text().includes("ERR_INTERNET_DISCONNECTED");
    if (message.type() === "error" && !expected) errors.push(`${who}: ${message.text()}`);
  });
  await page.goto(url);
  return page;
}

async function enter(page, name) {
  await page.getByLabel("Your name", { exact: true }).fill(name);
  await page.keyboard.press("Enter");
  await page.locator("#welcome").waitFor({ state: "hidden" });
}

async function say(page, text) {
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  await page.keyboard.press("Enter");
}

const message = (page, text) => page.locator(".message").filter({ hasText: text });

// The messages of the page, once they are so many: [name or "You", text, state].
async function messages(page, count) {
  await page.locator(".message").nth(count - 1).waitFor();
  return page.locator(".message").evaluateAll((items) =>
    items.map((item) => [
      item.querySelector("b").textContent,
      item.querySelector(".text").textContent,
      item.dataset.state,
    ]),
  );
}

async function step(name, action) {
  try {
    await action();
  } catch (error) {
    console.error(`failed: ${name}`);
    throw error;
  }
  console.log(`ok: ${name}`);
}

let ada, grace;

try {
  await step("both join, and the second Ada gets a number", async () => {
    ada = await open("ada");
    await enter(ada, "Ada");
    await ada.getByText("You are in lobby as Ada.").waitFor();
    grace = await open("grace");
    await enter(grace, "ada");
    await grace.getByText("You are in lobby as ada 2.").waitFor();
    await ada.getByText("ada 2 joined").waitFor();
    await ada.getByText("2 people").waitFor();
  });

  await step("a name may be changed, and is free again", async () => {
    await grace.getByRole("button", { name: "Change your name" }).click();
    await enter(grace, "Grace");
    await ada.getByText("ada 2 left").waitFor();
    await ada.getByText("Grace joined").waitFor();
    assert.equal(await ada.locator("#people").innerText(), "A\nAda\nchange\nG\nGrace");
  });

  await step("the connection begins with polling and becomes a WebSocket", async () => {
    for (const page of [ada, grace]) {
      await page.locator("#trail").getByText("websocket").waitFor();
      assert.equal(await page.locator("#trail").textContent(), "polling→websocket");
      assert.equal(await page.locator("#connection-text").textContent(), "Connected");
    }
  });

  await step("who types is seen typing, until the text is gone", async () => {
    const text = grace.getByRole("textbox", { name: "Message" });
    await text.pressSequentially("hel");
    await ada.getByText("Grace is typing…").waitFor();
    await text.fill("");
    await ada.locator("#typing:empty").waitFor({ state: "attached" });
  });

  await step("a message arrives as it was written, with a tick, and ends the typing", async () => {
    const text = "<b>bold</b><img src=x onerror=document.title=1>";
    await grace.getByRole("textbox", { name: "Message" }).pressSequentially("first");
    await ada.getByText("Grace is typing…").waitFor();
    await grace.keyboard.press("Enter");
    assert.deepEqual(await messages(ada, 1), [["Grace", "first", undefined]]);
    await ada.locator("#typing:empty").waitFor({ state: "attached" });
    await say(ada, text);
    await message(ada, text).getByText("delivered").waitFor();
    assert.deepEqual(await messages(grace, 2), [
      ["You", "first", "delivered"],
      ["Ada", text, undefined],
    ]);
  });

  await step("Shift + Enter starts a line, and nothing at all is not sent", async () => {
    const text = ada.getByRole("textbox", { name: "Message" });
    await text.fill("   ");
    await ada.keyboard.press("Enter");
    await text.fill("one");
    await ada.keyboard.press("Shift+Enter");
    await ada.keyboard.type("two");
    await ada.keyboard.press("Enter");
    assert.deepEqual((await messages(grace, 3))[2], ["Ada", "one\ntwo", undefined]);
  });

  await step("rooms are apart, linked in the list, and remembered", async () => {
    await ada.getByLabel("Name of a room to open").fill(" Board  Games ");
    await ada.keyboard.press("Enter");
    await ada.getByRole("heading", { name: "# board games" }).waitFor();
    assert.equal(new URL(ada.url()).hash, "#board%20games");
    await grace.getByText("Ada left").waitFor();
    await say(ada, "only here");
    await message(ada, "only here").getByText("delivered").waitFor();
    await grace.getByRole("link", { name: "board games" }).click();
    await grace.getByText("You are in board games as Grace.").waitFor();
    assert.deepEqual(await messages(grace, 1), [["Ada", "only here", undefined]]);
    await grace.goBack();
    await grace.getByText("You are in lobby as Grace.").waitFor();
    assert.equal((await messages(grace, 3)).length, 3);
    await grace.goForward();
    await grace.getByText("You are in board games as Grace.").waitFor();
  });

  await step("without the network a message waits; with it, it arrives once", async () => {
    await ada.context().setOffline(true);
    await ada.locator("#banner").waitFor();
    assert.match(await ada.locator("#connection-text").textContent(), /Disconnected|Reconnecting/);
    await say(ada, "from the tunnel");
    assert.deepEqual((await messages(ada, 2))[1], ["You", "from the tunnel", "waiting"]);
    await ada.context().setOffline(false);
    await ada.locator("#banner").waitFor({ state: "hidden" });
    await message(ada, "from the tunnel").getByText("delivered").waitFor();
    await ada.getByText("You are in board games as Ada.").waitFor();
    assert.deepEqual(await messages(grace, 2), [
      ["Ada", "only here", undefined],
      ["Ada", "from the tunnel", undefined],
    ]);
  });

  await step("a reload keeps the name, the room and what was one's own", async () => {
    await ada.reload();
    await ada.getByText("You are in board games as Ada.").waitFor();
    assert.deepEqual((await messages(ada, 2))[0], ["You", "only here", "delivered"]);
  });

  await step("who closes the page has left", async () => {
    await ada.close();
    await grace.getByText("Ada left").last().waitFor();
    await grace.getByText("1 person").waitFor();
  });

  await step("without the server's own client the CDN is asked, and then the reader", async () => {
    const page = await (await browser.newContext()).newPage();
    const asked = [];
    await page.route(/socket\.io(\.min)?\.js$/, (route) => {
      asked.push(route.request().url().replace(url, "/"));
      return route.abort();
    });
    await page.goto(url);
    await page.getByText("npm install socket.io-client").waitFor();
    assert.deepEqual(asked, [
      "/socket.io/socket.io.min.js",
      "/socket.io/socket.io.js",
      "https://cdn.socket.io/4.8.1/socket.io.min.js",
    ]);
  });

  assert.deepEqual(errors, []);
} finally {
  await browser.close();
}
