import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { test } from "node:test";
import { HoldClosed, HoldExpired, InsufficientTokens, Unavailable } from "pgcredits";
import { LOST, THREE, UNSENT, bank, bankWith, charges, failing, holdRows, holds, hurry, newUser, pause, service, until } from "./bank.js";

class ProviderFailed extends Error {
  override name = "ProviderFailed";
}

const fails = () => {
  throw new ProviderFailed();
};

test("finished work is charged for what it used", async () => {
  const user = await newUser();
  const [result, hold] = await bank.hold("whisper", user, { usage: THREE }, async (hold) => {
    assert.equal((await holdRows(user))[0]?.held, 75);
    hold.used({ calls: 2 });
    return ["text", hold] as const;
  });
  assert.equal(result, "text");
  assert.deepEqual([hold.captured?.cost, hold.captured?.released, hold.captured?.late], [50, 25, false]);
  assert.deepEqual([await charges(user), await holds(user)], [[50], ["captured"]]);
});

test("charges and holds carry tags", async () => {
  const user = await newUser();
  await bank.spend("whisper", user, { tags: { job: "1" } });
  await bank.hold("whisper", user, { tags: { job: "2", feature: "chat" } }, () => undefined);
  const rows = await service.read("usage", { user_id: `eq.${user}`, order: "used_at" });
  assert.deepEqual(rows.map(({ tags }) => tags), [{ job: "1" }, { job: "2", feature: "chat" }]);
});

test("work that reports nothing is charged all that was held", async () => {
  const user = await newUser();
  await bank.hold("whisper", user, { usage: THREE }, () => undefined);
  assert.deepEqual(await charges(user), [75]);
});

test("work that used more than it held is charged", async () => {
  const user = await newUser();
  await bank.hold("whisper", user, {}, (hold) => hold.used({ calls: 4 }));
  assert.deepEqual(await charges(user), [100]);
});

test("failed work is free", async () => {
  const user = await newUser();
  await assert.rejects(bank.hold("whisper", user, {}, fails), ProviderFailed);
  const [row] = await holdRows(user);
  assert.deepEqual([row?.state, row?.reason, await charges(user)], ["released", "failed: ProviderFailed", []]);
});

test("work does not begin without tokens", async () => {
  const user = await newUser();
  const work = bank.hold("stablediffusion", user, { usage: THREE }, () => assert.fail("it began"));
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof InsufficientTokens);
    const { name, status, slug, balance, available, cost, missing, affordable, debt } = error;
    assert.deepEqual(
      { name, status, slug, balance, available, cost, missing, affordable, debt },
      {
        name: "InsufficientTokens",
        status: 402,
        slug: "insufficient_tokens",
        balance: 120,
        available: 120,
        cost: 150,
        missing: 30,
        affordable: 2,
        debt: 0,
      },
    );
    return true;
  });
  assert.deepEqual(await holds(user), []);
});

test("what was delivered is charged although the rest failed", async () => {
  const user = await newUser();
  const work = bank.hold("whisper", user, { usage: THREE }, (hold) => {
    hold.delivered({ calls: 1 });
    hold.used({ calls: 3 });
    fails();
  });
  await assert.rejects(work, ProviderFailed);
  assert.deepEqual([await charges(user), await holds(user)], [[25], ["captured"]]);
});

test("parts that were captured stay charged, and the rest is released", async () => {
  const user = await newUser();
  await bank.hold("whisper", user, { usage: THREE }, async (hold) => {
    await hold.capture({ calls: 1 }, "part 1");
    await hold.capture({ calls: 1 }, "part 1");
    await hold.capture({ calls: 1 });
  });
  assert.deepEqual([await charges(user), await holds(user)], [[25, 25], ["captured"]]);
});

test("an abort releases the hold at once", async () => {
  const user = await newUser();
  const aborter = new AbortController();
  const reason = new Error("enough");
  const work = bank.hold("whisper", user, { signal: aborter.signal }, async () => {
    setTimeout(() => aborter.abort(reason), 1);
    await new Promise(() => undefined); // it never ends
  });
  await assert.rejects(work, reason);
  assert.equal((await holdRows(user))[0]?.reason, "cancelled: Error");
  assert.deepEqual(await charges(user), []);
});

test("an abort while the hold is made releases it", async () => {
  const user = await newUser();
  const aborter = new AbortController();
  const through = failing({ after: () => void aborter.abort() });
  const work = bankWith(through).hold("whisper", user, { signal: aborter.signal }, () => assert.fail("it began"));
  await assert.rejects(work, { name: "AbortError" });
  assert.deepEqual(await holds(user), ["released"]);
  await assert.rejects(bank.hold("whisper", user, { signal: aborter.signal }, () => 1), { name: "AbortError" });
  assert.deepEqual(await holds(user), ["released"]);
});

test("an abort while finished work is charged does not stop the charge", async () => {
  const user = await newUser();
  const aborter = new AbortController();
  const through = failing({ before: (number) => (number === 2 ? void aborter.abort() : undefined) });
  assert.equal(await bankWith(through).hold("whisper", user, { signal: aborter.signal }, () => "done"), "done");
  assert.deepEqual(await charges(user), [25]);
});

test("a capture whose answer was lost counts once", async () => {
  const user = await newUser();
  const through = failing({ after: (number) => (number % 2 === 1 ? LOST : undefined) });
  await bankWith(through).hold("whisper", user, {}, () => 1);
  assert.deepEqual([await charges(user), await holds(user)], [[25], ["captured"]]);
  assert.equal(new Set(through.seen.map(({ body }) => body["idempotency_key"])).size, 2);
});

test("a bank that is away at the capture is told of, and the hold stays", async () => {
  const user = await newUser();
  const through = failing({ before: (number) => (number > 1 ? UNSENT : undefined) });
  await assert.rejects(bankWith(through).hold("whisper", user, {}, () => 1), Unavailable);
  assert.deepEqual([await charges(user), await holds(user)], [[], ["open"]]);
});

test("a bank that is away at the release does not hide why the work failed", async (t) => {
  const warned = t.mock.method(console, "warn", () => undefined);
  const user = await newUser();
  const through = failing({ before: (number) => (number > 1 ? UNSENT : undefined) });
  await assert.rejects(bankWith(through).hold("whisper", user, {}, fails), ProviderFailed);
  assert.match(String(warned.mock.calls[0]?.arguments[0]), /was not ended, and expires by itself: unavailable/);
});

test("a job that is started again finds its hold, and does not run when it was finished", async () => {
  const user = await newUser();
  const key = randomUUID();
  const open = await bank.hold("whisper", user, { key });
  await bank.hold("whisper", user, { key }, (hold) => assert.equal(hold.holdId, open.holdId));
  await open.succeed().catch((error: unknown) => assert.ok(error instanceof HoldClosed));
  const again = bank.hold("whisper", user, { key }, () => assert.fail("it began"));
  await assert.rejects(again, (error: unknown) => error instanceof HoldClosed && error.state === "captured");
  assert.deepEqual([await charges(user), await holds(user)], [[25], ["captured"]]);
});

test("a hold that is kept open is charged later", async () => {
  const user = await newUser();
  const id = await bank.hold("whisper", user, { usage: THREE }, (hold) => {
    hold.keepOpen();
    return hold.holdId;
  });
  assert.deepEqual(await holds(user), ["open"]);
  await bank.extend(id, 60, { user });
  assert.equal((await bank.capture(id, { calls: 2 })).cost, 50);
  await assert.rejects(bank.release(id), HoldClosed);
});

test("`await using` releases what was not charged", async () => {
  const user = await newUser();
  {
    await using hold = await bank.hold("whisper", user);
    hold.used({ calls: 1 });
  }
  {
    await using hold = await bank.hold("whisper", user, { usage: THREE });
    hold.used({ calls: 2 });
    await hold.succeed();
  }
  assert.deepEqual([await charges(user), await holds(user)], [[50], ["released", "captured"]]);
});

test("a hold is extended while its work runs, and not after it", async (t) => {
  const user = await newUser();
  const waits = hurry(t);
  const through = failing({});
  await bankWith(through).hold("whisper", user, { ttl: 60 }, async (hold) => {
    await until(async () => Date.parse((await holdRows(user))[0]?.expires_at ?? "") > Date.parse(hold.receipt.expires_at));
  });
  assert.equal(waits[0], 40_000);
  const sent = through.seen.length;
  await pause(100);
  assert.equal(through.seen.length, sent);
  assert.ok(through.seen.some(({ path }) => path.endsWith("/extend_hold")));
  assert.deepEqual([await charges(user), await holds(user)], [[25], ["captured"]]);
});

test("a hold is not extended for longer than it may be", async (t) => {
  const user = await newUser();
  const waits = hurry(t);
  await bank.hold("whisper", user, { ttl: 60, longest: 39 }, () => undefined);
  await bank.hold("whisper", user, { ttl: 60, longest: NaN }, () => undefined);
  assert.deepEqual(waits, []);
});

test("an extension that fails leaves the work running", async (t) => {
  const warned = t.mock.method(console, "warn", () => undefined);
  const user = await newUser();
  hurry(t);
  const away = failing({ before: (number) => (number === 2 ? new Response(null, { status: 418 }) : undefined) });
  await bankWith(away).hold("whisper", user, {}, () => until(() => warned.mock.callCount() > 0));
  assert.match(String(warned.mock.calls[0]?.arguments[0]), /was not extended/);
  assert.deepEqual(await charges(user), [25]);
});

test("a hold that expired before its capture is charged late, and released work is over", async () => {
  const user = await newUser();
  const late = await bank.hold("whisper", user, { ttl: 1, longest: 0 });
  const left = await bank.hold("whisper", user, { ttl: 1, longest: 0, key: user });
  await until(async () => (await holds(user)).every((state) => state === "expired"));
  await late.succeed();
  assert.equal(late.captured?.late, true);
  const again = bank.hold("whisper", user, { ttl: 1, longest: 0, key: user }, () => assert.fail("it began"));
  await assert.rejects(again, HoldExpired);
  await assert.rejects(left.release(), HoldClosed);
  assert.deepEqual(await charges(user), [25]);
});

test("a worker that is killed charges nothing, and another takes its job over", async () => {
  const user = await newUser();
  const program = `
    import { Bank } from "pgcredits";
    const [url, key, user] = process.argv.slice(1);
    await new Bank(url, key).hold("whisper", user, { key: user }, () => {
      process.kill(process.pid, "SIGKILL");
      return new Promise(() => {});
    });`;
  const { PGCREDITS_URL = "", PGCREDITS_API_KEY = "" } = process.env;
  const words = ["--input-type=module", "--eval", program, PGCREDITS_URL, PGCREDITS_API_KEY, user];
  const worker = spawn(process.execPath, words, { cwd: import.meta.dirname, stdio: "ignore" });
  const [, signal] = (await once(worker, "exit")) as [number | null, string | null];
  assert.equal(signal, "SIGKILL");
  assert.deepEqual([await charges(user), await holds(user)], [[], ["open"]]);
  await bank.hold("whisper", user, { key: user }, () => "the job, taken over");
  assert.deepEqual([await charges(user), await holds(user)], [[25], ["captured"]]);
});
