import assert from "node:assert/strict";
import { test } from "node:test";
import { charge, refusal, type Terms } from "pgcredits/next";
import { BankError, type Bank, type Hold } from "pgcredits";
import { THREE, UNSENT, bank, bankWith, charges, failing, first, holds, newUser, pause, service, until } from "./bank.js";

type Work = (hold: Hold, request: Request) => Response | Promise<Response>;

const signedIn = (request: Request) => request.headers.get("x-user") ?? new Response("sign in", { status: 401 });

function route(work: Work, terms: Partial<Terms<Request>> = {}, through: Bank = bank) {
  return charge("whisper", { bank: through, user: signedIn, usage: THREE, ...terms }, (request, hold) => work(hold, request));
}

function requestOf(user: string, signal?: AbortSignal): Request {
  const headers = { "x-user": user };
  return new Request("http://app/images", { method: "POST", headers, ...(signal && { signal }) });
}

const none = { params: Promise.resolve({}) };

/** A body of parts that come one after the other. What happens between them is in `between`. */
function parts(texts: string[], between: (number: number) => unknown = () => pause(5)): ReadableStream<Uint8Array> {
  let number = 0;
  return new ReadableStream({
    async pull(controller) {
      if (number > 0) await between(number);
      const text = texts[number++];
      if (text === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(text));
    },
  });
}

test("a good answer is charged for what it used", async () => {
  const user = await newUser();
  const answer = await route((hold) => {
    hold.used({ calls: 2 });
    return Response.json({ text: "one" }, { status: 201, headers: { "x-kept": "yes" } });
  })(requestOf(user), none);
  assert.deepEqual([await charges(user), await holds(user)], [[50], ["captured"]]); // before the body is read
  assert.deepEqual([answer.status, answer.headers.get("x-kept"), await answer.json()], [201, "yes", { text: "one" }]);
});

test("answers without a body, with an empty one and in several pieces are charged", async () => {
  for (const body of [null, "", new Blob(["a".repeat(200_000)])]) {
    const user = await newUser();
    const answer = await route(() => new Response(body))(requestOf(user), none);
    assert.equal((await answer.blob()).size, body instanceof Blob ? body.size : 0);
    assert.deepEqual([await charges(user), await holds(user)], [[75], ["captured"]]);
  }
});

test("a handler that throws is free", async () => {
  const user = await newUser();
  const broken = route(() => {
    throw new RangeError("the provider failed");
  });
  await assert.rejects(broken(requestOf(user), none), RangeError);
  assert.deepEqual([await charges(user), await holds(user)], [[], ["released"]]);
});

for (const answer of [new Response("no", { status: 404 }), Response.json({}, { status: 503 }), Response.error()]) {
  test(`an answer with status ${answer.status} is free`, async () => {
    const user = await newUser();
    assert.equal((await route(() => answer)(requestOf(user), none)).status, answer.status);
    assert.deepEqual([await charges(user), await holds(user)], [[], ["released"]]);
  });
}

test("the first request of a user opens the account", async () => {
  const newcomer = crypto.randomUUID();
  const answer = await route(() => assert.fail("it began"))(requestOf(newcomer), none);
  assert.equal(answer.status, 402);
  assert.equal((await service.openAccount(newcomer)).opened, false);
});

test("a user without tokens gets a 402 with the facts, and the handler does not begin", async () => {
  const user = await newUser(70);
  const answer = await route(() => assert.fail("it began"))(requestOf(user), none);
  assert.equal(answer.status, 402);
  const { message, ...facts } = (await answer.json()) as Record<string, unknown>;
  assert.match(String(message), /tokens/);
  assert.deepEqual(facts, {
    error: "insufficient_tokens",
    available: 70,
    balance: 70,
    cost: 75,
    missing: 5,
    affordable: 2,
  });
});

test("nobody is charged without a user", async () => {
  assert.equal((await route(() => assert.fail("it began"))(new Request("http://app/"), none)).status, 401);
  for (const odd of ["", undefined as unknown as string]) {
    const unnamed = route(() => assert.fail("it began"), { user: () => odd });
    await assert.rejects(unnamed(requestOf("ada"), none), /must say who pays/);
  }
});

test("a fault of the application is not shown to its caller", async () => {
  const wrong = route(() => assert.fail("it began"), {}, bankWith({}, "wrong"));
  await assert.rejects(wrong(requestOf("ada"), none), BankError);
  assert.equal(refusal(new Error("other")), undefined);
});

test("a bank that is busy for a moment is asked again, and charges once", async () => {
  const user = await newUser();
  const through = failing({ before: first(Response.json({}, { status: 503 })) });
  assert.equal((await route(() => new Response("x"), {}, bankWith(through))(requestOf(user), none)).status, 200);
  assert.deepEqual([await charges(user), await holds(user)], [[75], ["captured"]]);
});

test("an answer that cannot be charged is not sent", async () => {
  const user = await newUser();
  const through = failing({ before: (number) => (number > 1 ? UNSENT : undefined) });
  const answer = await route(() => Response.json({ secret: "work" }), {}, bankWith(through))(requestOf(user), none);
  assert.equal(answer.status, 503);
  assert.ok(!(await answer.text()).includes("secret"));
});

test("a stream is charged before it closes, for what it used and delivered", async () => {
  const user = await newUser();
  const answer = await route((hold) => {
    hold.delivered({ calls: 1 });
    return new Response(parts(["one", "two"], async () => (await pause(5), hold.used({ calls: 1 }))));
  })(requestOf(user), none);
  assert.deepEqual(await holds(user), ["open"]);
  assert.equal(await answer.text(), "onetwo");
  assert.deepEqual([await charges(user), await holds(user)], [[50], ["captured"]]);
});

test("a stream that breaks is charged for what it delivered", async () => {
  for (const delivered of [0, 1]) {
    const user = await newUser();
    const answer = await route((hold) => {
      if (delivered > 0) hold.delivered({ calls: delivered });
      return new Response(parts(["one", "two"], () => pause(5).then(() => Promise.reject(new RangeError("broken")))));
    })(requestOf(user), none);
    await assert.rejects(answer.text(), RangeError);
    const told = delivered > 0 ? [[25], ["captured"]] : [[], ["released"]];
    assert.deepEqual([await charges(user), await holds(user)], told);
  }
});

test("a client that leaves a stream pays for what it got", async () => {
  for (const left of ["cancels", "aborts", "had aborted"]) {
    const user = await newUser();
    const aborter = new AbortController();
    const answer = await route((hold) => {
      hold.delivered({ calls: 1 });
      if (left === "had aborted") aborter.abort();
      return new Response(parts(["one", "two", "three"], () => pause(20)));
    })(requestOf(user, aborter.signal), none);
    const reader = answer.body?.getReader();
    await reader?.read();
    if (left === "cancels") await reader?.cancel();
    else aborter.abort();
    await until(async () => (await holds(user))[0] === "captured");
    assert.deepEqual(await charges(user), [25], left);
  }
});

test("a client that leaves a stream which says nothing pays for all that was held", async () => {
  const user = await newUser();
  const answer = await route(() => new Response(parts(["one", "two"], () => pause(20))))(requestOf(user), none);
  const reader = answer.body?.getReader();
  await reader?.read();
  await reader?.cancel();
  assert.deepEqual(await charges(user), [75]);
});

test("a stream that cannot be charged is told of in the log", async (t) => {
  const told = t.mock.method(console, "error", () => undefined);
  const user = await newUser();
  const through = failing({ before: (number) => (number > 1 ? UNSENT : undefined) });
  const answer = await route(() => new Response(parts(["one", "two"])), {}, bankWith(through))(requestOf(user), none);
  assert.equal(await answer.text(), "onetwo");
  assert.match(String(told.mock.calls[0]?.arguments[0]), /was delivered, but hold .* was not charged/);
});
