/**
 * The example docs/examples/nextjs. Its routes are called here with requests, or by a real Next.js if NEXT_APP names the
 * folder of an installed one. They reach the bank through a proxy, which is away when `busy` says so.
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
let send: (path: "images" | "chat", user: string | undefined, body: object) => Promise<Response>;

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

function requestOf(base: string, path: string, user: string | undefined, body: object): Request {
  const headers = { "Content-Type": "application/json", ...(user !== undefined && { "x-user": user }) };
  return new Request(`${base}/api/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
}

async function inThisProcess(): Promise<typeof send> {
  const [images, chat] = await Promise.all([
    import("./nextjs/app/api/images/route.ts"),
    import("./nextjs/app/api/chat/route.ts"),
  ]);
  const routes: Record<string, Route> = { images: images.POST as Route, chat: chat.POST as Route };
  return async (path, user, body) => {
    const answer = routes[path]?.(requestOf("http://app", path, user, body), {});
    return (await answer?.catch(() => new Response(null, { status: 500 }))) ?? assert.fail("no such route");
  };
}

/** The server ends with this process, also if that is killed. */
async function startNext(app: string): Promise<typeof send> {
  const port = await new Promise<number>((resolve) => {
    const free = createServer().listen(0, "127.0.0.1", () => {
      const { port } = free.address() as AddressInfo;
      free.close(() => resolve(port));
    });
  });
  const words = ["node_modules/next/dist/bin/next", "dev", "--hostname", "127.0.0.1", "--port", String(port)];
  next = spawn(process.execPath, words, { cwd: app, stdio: ["ignore", "ignore", "inherit"] });
  const base = `http://127.0.0.1:${port}`;
  await until(() => fetch(`${base}/api/images`, { method: "POST" }).then(() => true, () => false), 60);
  return (path, user, body) => fetch(requestOf(base, path, user, body));
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
