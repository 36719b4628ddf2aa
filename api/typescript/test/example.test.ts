/**
 * The example docs/examples/nextjs. Its routes are called here with requests, or by a real Next.js if NEXT_APP names
 * the folder in which it is built. They reach the bank through a proxy, which is away when `busy` says so.
 */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { charges, holds, newUser, until } from "./bank.js";

type Route = (request: Request, context: object) => Promise<Response>;

const { PGCREDITS_URL: bankUrl = "", NEXT_APP: folder } = process.env;
const keys: unknown[] = []; // of the calls that the proxy has seen
let busy = 0; // how many calls the proxy refuses
let next: ChildProcess | undefined;
let send: (path: string, user: string | undefined, body: object, signal?: AbortSignal) => Promise<Response>;

const proxy = createServer(async (request, response) => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts).toString();
  keys.push(JSON.parse(body).idempotency_key);
  if (busy > 0) {
    busy -= 1;
    response.writeHead(503).end();
    return;
  }
  const { authorization = "" } = request.headers;
  const answer = await fetch(bankUrl + request.url, { method: "POST", body, headers: { authorization, "Content-Type": "application/json" } });
  response.writeHead(answer.status, { "Content-Type": "application/json" }).end(await answer.text());
});

before(async () => {
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  process.env["PGCREDITS_URL"] = `http://127.0.0.1:${port}`;
  send = folder === undefined ? await inThisProcess() : await startNext(folder);
});

after(async () => {
  next?.kill();
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
});

function requestOf(base: string, ...[path, user, body, signal]: Parameters<typeof send>): Request {
  const headers = { "Content-Type": "application/json", ...(user !== undefined && { "x-user": user }) };
  const told = { method: "POST", headers, body: JSON.stringify(body), ...(signal && { signal }) };
  return new Request(`${base}/api/${path}`, told);
}

async function inThisProcess(): Promise<typeof send> {
  const images = await import("./nextjs/app/api/images/route.ts");
  const stories = await import("./nextjs/app/api/stories/route.ts");
  const chat = await import("./nextjs/app/api/chat/route.ts");
  const routes = { images: images.POST, stories: stories.POST, chat: chat.POST } as Record<string, Route>;
  return async (path, ...words) => {
    const answer = routes[path]?.(requestOf("http://app", path, ...words), {});
    return (await answer?.catch(() => new Response(null, { status: 500 }))) ?? assert.fail("no such route");
  };
}

/** The server is one process, with the example as it was built for production. */
async function startNext(app: string): Promise<typeof send> {
  const port = await new Promise<number>((resolve) => {
    const free = createServer().listen(0, "127.0.0.1", () => {
      const { port } = free.address() as AddressInfo;
      free.close(() => resolve(port));
    });
  });
  const words = ["node_modules/next/dist/bin/next", "start", "--hostname", "127.0.0.1", "--port", String(port)];
  next = spawn(process.execPath, words, { cwd: app, stdio: ["ignore", "ignore", "inherit"] });
  const base = `http://127.0.0.1:${port}`;
  await until(() => fetch(`${base}/api/images`, { method: "POST" }).then(() => true, () => false), 60);
  return (...words) => fetch(requestOf(base, ...words));
}

test("images are charged for as many as were painted", async () => {
  const user = await newUser(200);
  const answer = await send("images", user, { prompt: "a cat", count: 2 });
  assert.deepEqual([answer.status, (await answer.json()).images.length], [200, 2]);
  assert.deepEqual([await charges(user), await holds(user)], [[100], ["captured"]]);
});

test("images that fail are free", async () => {
  const user = await newUser(200);
  assert.equal((await send("images", user, { prompt: "a cat", count: 0 })).status, 500);
  assert.deepEqual([await charges(user), await holds(user)], [[], ["released"]]);
});

test("images without tokens are a 402 with the facts", async () => {
  const user = await newUser(199);
  const answer = await send("images", user, { prompt: "a cat", count: 1 });
  const { error, balance, cost, missing } = await answer.json();
  assert.deepEqual([answer.status, error, balance, cost, missing], [402, "insufficient_tokens", 199, 200, 1]);
  assert.deepEqual(await holds(user), []);
});

test("nobody is charged without a user", async () => {
  assert.equal((await send("images", undefined, {})).status, 401);
  assert.equal((await send("chat", undefined, {})).status, 401);
});

test("a call that the bank was too busy for is repeated with its key, and charged once", async () => {
  const user = await newUser(200);
  keys.length = 0;
  busy = 1;
  assert.equal((await send("images", user, { prompt: "a cat", count: 1 })).status, 200);
  assert.deepEqual([keys.length, new Set(keys).size], [3, 2]); // two of the hold, one of the capture
  assert.deepEqual([await charges(user), await holds(user)], [[50], ["captured"]]);
});

test("a story is charged for its parts", async () => {
  const user = await newUser(200);
  const answer = await send("stories", user, { pauses: [10] });
  assert.equal(await answer.text(), "Once upon a time there was a bank. And then … ");
  assert.deepEqual([await charges(user), await holds(user)], [[75], ["captured"]]);
});

test("a story that breaks is charged for the parts that were sent", async () => {
  const user = await newUser(200);
  const answer = await send("stories", user, { pauses: [10, -1] });
  await assert.rejects(answer.text());
  assert.deepEqual([await charges(user), await holds(user)], [[75], ["captured"]]);
});

test("a client that leaves a story pays for the parts that were sent", async () => {
  const user = await newUser(200);
  const aborter = new AbortController();
  const answer = await send("stories", user, { pauses: [600_000] }, aborter.signal);
  await answer.body?.getReader().read();
  aborter.abort();
  await until(async () => (await holds(user))[0] === "captured");
  assert.deepEqual(await charges(user), [50]);
});

test("a chat is charged what the provider reports", async () => {
  const user = await newUser(200);
  const answer = await send("chat", user, { prompt: "What does it cost?" });
  assert.equal(await answer.text(), "It costs tokens.");
  assert.deepEqual([await charges(user), await holds(user)], [[10], ["captured"]]); // 10 × 0.5 + 5
});

test("a chat without tokens is a 402", async () => {
  const user = await newUser(59);
  const answer = await send("chat", user, { prompt: "What does it cost?" });
  const { error, cost, available } = await answer.json();
  assert.deepEqual([answer.status, error, cost, available, await holds(user)], [402, "insufficient_tokens", 60, 59, []]);
});

test("a worker that is killed in the middle of a chat charges nothing", async () => {
  const user = await newUser(200);
  if (next === undefined) {
    const chat = new URL("./nextjs/app/api/chat/route.js", import.meta.url).href;
    const program = `
      const { POST } = await import(${JSON.stringify(chat)});
      const headers = { "x-user": ${JSON.stringify(user)} };
      const body = JSON.stringify({ prompt: "What does it cost?" });
      const answer = await POST(new Request("http://app", { method: "POST", headers, body }));
      await answer.body.getReader().read();
      process.kill(process.pid, "SIGKILL");`;
    next = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: "inherit" });
  } else {
    const answer = await send("chat", user, { prompt: "What does it cost?" });
    await answer.body?.getReader().read();
    next.kill("SIGKILL");
  }
  await until(() => next?.signalCode === "SIGKILL");
  await until(async () => (await holds(user)).length === 1);
  assert.deepEqual([await charges(user), await holds(user)], [[], ["open"]]); // it expires by itself
});
