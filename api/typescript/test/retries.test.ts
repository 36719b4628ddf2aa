import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { Bank, BankError, Busy, InsufficientTokens, InvalidCall, KeyReused, NotAllowed, NotSignedIn, Unavailable, UnknownUser } from "pgcredits";
import { LOST, MODULE, QUICK, UNSENT, bank, bankWith, charges, failing, first, hurry, newUser, service } from "./bank.js";

const busy = (seconds: string) => {
  const body = { code: "PT503", message: "busy", details: '{"error": "busy"}', hint: null };
  return Response.json(body, { status: 503, headers: { "Retry-After": seconds } });
};

test("a spend whose answer was lost counts once", async () => {
  const user = await newUser();
  const through = failing({ after: first(LOST) });
  const receipt = await bankWith(through).spend(MODULE, user);
  assert.deepEqual([receipt.replayed, receipt.balance], [true, 70]);
  assert.deepEqual(new Set(through.seen.map(({ body }) => body["idempotency_key"])).size, 1);
  assert.deepEqual([through.seen.length, await charges(user)], [2, [50]]);
});

for (const status of [502, 503, 504]) {
  test(`a ${status} of a broken proxy is repeated with the same key`, async () => {
    const user = await newUser();
    const through = failing({ after: first(new Response("Bad Gateway", { status })) });
    assert.equal((await bankWith(through).spend(MODULE, user)).replayed, true);
    assert.deepEqual(await charges(user), [50]);
  });
}

test("a bank that never answers leaves an unknown outcome", async () => {
  const user = await newUser();
  const through = failing({ after: () => LOST });
  await assert.rejects(bankWith(through).spend(MODULE, user, { key: user }), (error: unknown) => {
    assert.ok(error instanceof Unavailable);
    assert.deepEqual([error.outcome, error.status, through.seen.length], ["unknown", 503, QUICK.attempts]);
    return true;
  });
  assert.equal((await bank.spend(MODULE, user, { key: user })).replayed, true);
  assert.deepEqual(await charges(user), [50]);
});

test("a bank that is away has done nothing", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const away = new Bank(`http://127.0.0.1:${port}`, "key", { retries: QUICK });
  await assert.rejects(away.spend(MODULE, "ada"), (error) => error instanceof Unavailable && error.outcome === "nothing");
});

test("a lost answer before a busy bank leaves an unknown outcome", async () => {
  const user = await newUser();
  const through = failing({ after: first(LOST), before: (number) => (number > 1 ? busy("0") : undefined) });
  await assert.rejects(bankWith(through).spend(MODULE, user), (error) => error instanceof Unavailable && error.outcome === "unknown");
});

test("Retry-After is kept to, and a long one ends the attempts", async (t) => {
  const user = await newUser();
  const waits = hurry(t);
  await bankWith(failing({ before: first(busy("1")) })).spend(MODULE, user);
  assert.deepEqual(waits, [1000]);
  const long = failing({ before: () => busy("60") });
  await assert.rejects(bankWith(long).spend(MODULE, user), (error) => error instanceof Busy && error.retryAfter === 60);
  assert.equal(long.seen.length, 1);
  const date = failing({ before: () => busy(new Date(Date.now() + 3_600_000).toUTCString()) });
  await assert.rejects(bankWith(date).spend(MODULE, user), Busy);
  assert.equal(date.seen.length, 1);
});

test("waits grow, are random, and have a bound", async (t) => {
  const waits = hurry(t);
  t.mock.method(Math, "random", () => 0.5);
  const away = bankWith({ ...failing({ before: () => UNSENT }), retries: { attempts: 5, first: 1, longest: 3 } });
  await assert.rejects(away.spend(MODULE, "ada"), Unavailable);
  assert.deepEqual(waits, [500, 1000, 1500, 1500]);
});

test("connections that break in the middle of an answer are repeated", async () => {
  const user = await newUser();
  let requests = 0;
  const broken = createServer((_, response) => {
    requests += 1;
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": "1000" });
    response.write('{"entry_id": "half', () => response.destroy());
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => broken.once("listening", resolve));
  const { port } = broken.address() as AddressInfo;
  const through = new Bank(`http://127.0.0.1:${port}`, "key", { retries: QUICK });
  await assert.rejects(through.spend(MODULE, user), (error) => error instanceof Unavailable && error.outcome === "unknown");
  assert.equal(requests, QUICK.attempts);
  await new Promise((resolve) => broken.close(resolve));
});

test("a bank that says nothing is given up after the time-out", async () => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  const { port } = silent.address() as AddressInfo;
  const through = new Bank(`http://127.0.0.1:${port}`, "key", { timeout: 0.05, retries: { ...QUICK, attempts: 2 } });
  await assert.rejects(through.quote(MODULE, "ada"), /did not answer: TimeoutError/);
  silent.closeAllConnections();
  await new Promise((resolve) => silent.close(resolve));
});

test("a call without a key that changes something is not repeated", async () => {
  const through = failing({ before: () => UNSENT });
  await assert.rejects(bankWith(through).call("set_low_balance", { below: 10 }), Unavailable);
  assert.equal(through.seen.length, 1);
});

test("a refusal is not repeated", async () => {
  const user = await newUser(1);
  const through = failing({});
  await assert.rejects(bankWith(through).spend(MODULE, user), InsufficientTokens);
  assert.equal(through.seen.length, 1);
});

test("refusals have classes", async () => {
  const user = await newUser();
  await bank.spend(MODULE, user, { key: user });
  await assert.rejects(bank.spend("whisper", user, { key: user }), KeyReused);
  await assert.rejects(bank.grant(user, 10), NotAllowed);
  await assert.rejects(bank.quote(MODULE, "nobody"), UnknownUser);
  await assert.rejects(bank.spend(MODULE, user, { usage: { minutes: 1 } }), InvalidCall);
  await assert.rejects(bank.spend(MODULE, user, { key: "" }), InvalidCall);
  await assert.rejects(bank.spend(MODULE), InvalidCall); // nobody pays
  await assert.rejects(bank.spend(MODULE, user, { usage: { calls: null as unknown as number } }), InvalidCall);
  await assert.rejects(bankWith({}, "wrong").spend(MODULE, user), NotSignedIn);
});

test("an answer that is not one of the bank is told of", async () => {
  const odd = (text: string) => bankWith(failing({ before: () => new Response(text) }));
  for (const text of ["<html>", "{}", "null", "[]"]) {
    await assert.rejects(odd(text).spend(MODULE, "ada"), (error) => error instanceof BankError && /is the URL right/.test(error.message));
  }
  const elsewhere = bankWith(failing({ before: () => new Response(null, { status: 302, headers: { location: "http://127.0.0.1/" } }) }));
  await assert.rejects(elsewhere.spend(MODULE, "ada"), { status: 302 });
});

test("a key or URL that cannot be sent is refused at the first call, and not shown", async () => {
  const shown = (error: unknown) => error instanceof TypeError && !error.message.includes("secret");
  await assert.rejects(new Bank("http://127.0.0.1", "pgc\nsecret").quote(MODULE), shown);
  for (const url of [undefined, "", "127.0.0.1:8000", "ftp://127.0.0.1", "http://[", "undefined"]) {
    await assert.rejects(new Bank(url, "key").quote(MODULE), TypeError);
  }
  assert.throws(() => new Bank("http://127.0.0.1", "key", { timeout: 0 }), TypeError);
  assert.throws(() => new Bank("http://127.0.0.1", "key", { retries: { attempts: 0 } }), TypeError);
});

test("a call counts once with a key, and any function can be called", async () => {
  const user = await newUser();
  const one = await bank.call("consume_tokens", { module_id: "whisper", user_id: user, idempotency_key: user });
  const two = await bank.call("consume_tokens", { module_id: "whisper", user_id: user, idempotency_key: user });
  assert.deepEqual([one.cost, one.entry_id, two.replayed], [25, two.entry_id, true]);
  const through = failing({ after: first(LOST) });
  assert.equal((await bankWith(through).call("consume_tokens", { module_id: "whisper", user_id: user })).replayed, true);
  assert.deepEqual(await charges(user), [25, 25]);
  const opened = await service.call("open_account", { user_id: user });
  assert.deepEqual([opened.user_id, opened.opened], [user, false]);
  // @ts-expect-error: the types know the arguments
  await assert.rejects(bank.call("consume_tokens", { module: "whisper" }), BankError);
  // @ts-expect-error: and the functions
  await assert.rejects(bank.call("spend", {}), BankError);
  const { opened: again } = await service.openAccount(user);
  assert.equal(again, false);
});
