import assert from "node:assert/strict";
import { test } from "node:test";
import { generateText, simulateReadableStream, stepCountIs, streamText, tool, jsonSchema, wrapLanguageModel } from "ai";
import { MockLanguageModelV3 } from "ai/test";
import { InsufficientTokens } from "pgcredits";
import { charging, usageOf, type ModelTerms } from "pgcredits/ai";
import { UNSENT, bank, bankWith, charges, failing, first, holdRows, holds, newUser, until } from "./bank.js";

// gpt-5 costs 0.5 tokens for each token of input, and 1 for each of output. Cached input costs 0.05 with gpt-5-cached.
type Model = MockLanguageModelV3;
type Result = Extract<ConstructorParameters<typeof MockLanguageModelV3>[0], object>["doGenerate"] extends infer D
  ? Extract<D, { usage: unknown }>
  : never;
type Usage = Result["usage"];

function reported(input?: number, output?: number, cached?: number, reasoning?: number): Usage {
  return {
    inputTokens: { total: input, noCache: undefined, cacheRead: cached, cacheWrite: undefined },
    outputTokens: { total: output, text: undefined, reasoning },
  };
}

const stop = { unified: "stop" as const, raw: "stop" };
const failed = { unified: "error" as const, raw: "error" };

function answering(usage: Usage, finishReason: Result["finishReason"] = stop): Model {
  return new MockLanguageModelV3({
    doGenerate: { content: [{ type: "text", text: "Hello" }], finishReason, usage, warnings: [] },
  });
}

type Part = { type: string } & Record<string, unknown>;

function streaming(parts: Part[], chunkDelayInMs: number | null = null): Model {
  const chunks = [{ type: "stream-start", warnings: [] }, { type: "text-start", id: "1" }, ...parts];
  const stream = () => simulateReadableStream({ chunks, chunkDelayInMs, initialDelayInMs: null });
  return new MockLanguageModelV3({ doStream: async () => ({ stream: stream() }) as never });
}

const text = (delta: string): Part => ({ type: "text-delta", id: "1", delta });
const finish = (usage: Usage, finishReason = stop as Result["finishReason"]): Part[] => [
  { type: "text-end", id: "1" },
  { type: "finish", finishReason, usage },
];

function charged(model: Model, user: string, terms: Partial<ModelTerms> = {}) {
  const middleware = charging({ bank, module: "gpt-5", user, maxOutputTokens: 50, promptTokens: () => 40, ...terms });
  return wrapLanguageModel({ model, middleware });
}

const quiet = { prompt: "Hello", maxRetries: 0 };

test("the worst case is held, and what the provider reports is charged", async () => {
  const user = await newUser();
  let held: unknown;
  const model = new MockLanguageModelV3({
    doGenerate: async ({ maxOutputTokens }) => {
      held = [(await holdRows(user))[0]?.held, maxOutputTokens];
      return { content: [{ type: "text", text: "Hello" }], finishReason: stop, usage: reported(30, 20), warnings: [] };
    },
  });
  const { text } = await generateText({ ...quiet, model: charged(model, user), maxOutputTokens: 60 });
  assert.deepEqual([text, held], ["Hello", [80, 60]]); // 40 × 0.5 + 60
  assert.deepEqual([await charges(user), await holds(user)], [[35], ["captured"]]);
});

test("cached input is charged at its own price where there is one", async () => {
  const user = await newUser(200);
  const cached = { module: "gpt-5-cached" };
  await generateText({ ...quiet, model: charged(answering(reported(30, 20, 20, 15)), user, cached) });
  await generateText({ ...quiet, model: charged(answering(reported(30, 20, 20, 15)), user) });
  await generateText({ ...quiet, model: charged(answering(reported(30, 20)), user, cached) });
  assert.deepEqual(await charges(user), [26, 35, 35]); // 10 × 0.5 + 20 × 0.05 + 20, then 30 × 0.5 + 20
});

test("a module without a price for tokens is refused before the work", async () => {
  const user = await newUser();
  const model = answering(reported(30, 20));
  await assert.rejects(generateText({ ...quiet, model: charged(model, user, { module: "whisper" }) }), { slug: "bad_usage" });
  assert.equal(model.doGenerateCalls.length, 0);
});

test("usage is told with its parts, and each token once", () => {
  const usage = reported(100, 50, 60, 20);
  usage.inputTokens.cacheWrite = 10;
  assert.deepEqual(usageOf(usage), {
    input_tokens: 30,
    cached_input_tokens: 60,
    cache_write_tokens: 10,
    output_tokens: 30,
    reasoning_tokens: 20,
  });
  const none = { cached_input_tokens: 0, cache_write_tokens: 0, reasoning_tokens: 0 };
  assert.deepEqual(usageOf(reported(100, 50, 0, NaN)), { input_tokens: 100, output_tokens: 50, ...none });
  assert.equal(usageOf(reported(10, 5, 60))?.["input_tokens"], 0); // the provider leaves cached input out
});

for (const [input, output] of [[undefined, undefined], [30, undefined], [undefined, 20], [NaN, 20]] as const) {
  test(`a provider that reports ${input} and ${output} is charged all that was held`, async () => {
    const user = await newUser();
    await generateText({ ...quiet, model: charged(answering(reported(input, output)), user) });
    assert.deepEqual([await charges(user), await holds(user)], [[70], ["captured"]]);
  });
}

test("a provider that reports more than was held is charged for it", async () => {
  const user = await newUser();
  await generateText({ ...quiet, model: charged(answering(reported(100, 60)), user) });
  assert.deepEqual(await charges(user), [110]);
});

test("a model that throws or ends with an error is free", async () => {
  const user = await newUser();
  const broken = new MockLanguageModelV3({ doGenerate: () => Promise.reject(new RangeError("broken")) });
  await assert.rejects(generateText({ ...quiet, model: charged(broken, user) }), RangeError);
  await generateText({ ...quiet, model: charged(answering(reported(30, 20), failed), user) });
  const [threw, ended] = await holdRows(user);
  assert.deepEqual([threw?.reason, ended?.reason], ["failed: RangeError", "failed: ModelFailed"]);
  assert.deepEqual(await charges(user), []);
});

test("a call without tokens is refused before the model begins", async () => {
  const user = await newUser(69);
  const model = answering(reported(30, 20));
  await assert.rejects(generateText({ prompt: "Hello", model: charged(model, user) }), InsufficientTokens);
  const told: unknown[] = [];
  const { fullStream } = streamText({ prompt: "Hello", model: charged(model, user), onError: ({ error }) => void told.push(error) });
  for await (const _ of fullStream);
  assert.ok(told[0] instanceof InsufficientTokens);
  assert.deepEqual([model.doGenerateCalls.length, model.doStreamCalls.length, await holds(user)], [0, 0, []]);
});

test("a call whose answer has no bound is refused", async () => {
  const unbounded = charging({ bank, module: "gpt-5", user: "ada" });
  const model = wrapLanguageModel({ model: answering(reported(1, 1)), middleware: unbounded });
  await assert.rejects(generateText({ ...quiet, model }), /maxOutputTokens is missing/);
});

test("the prompt is estimated with its tools, and files are not counted by their bytes", async () => {
  const user = await newUser(3000);
  const model = answering(reported(undefined, undefined));
  const content = [
    { type: "text" as const, text: "a".repeat(300) },
    { type: "file" as const, data: new Uint8Array(100_000), mediaType: "image/png" },
    { type: "file" as const, data: "QUJD".repeat(10_000), mediaType: "image/png" },
  ];
  const options = { maxRetries: 0, messages: [{ role: "user" as const, content }] };
  await generateText({ ...options, model: charged(model, user, { promptTokens: undefined as never }) });
  const [cost] = await charges(user);
  assert.ok(Number(cost) > 50 + 2000 + 50 && Number(cost) < 50 + 2000 + 150, String(cost)); // half of 4000, and of the text
});

test("a stream is charged for what the provider reports at its end", async () => {
  const user = await newUser();
  const model = charged(streaming([text("Hel"), text("lo"), ...finish(reported(30, 20))]), user);
  assert.equal(await streamText({ ...quiet, model }).text, "Hello");
  assert.deepEqual([await charges(user), await holds(user)], [[35], ["captured"]]);
});

test("a stream that reports nothing is charged all that was held", async () => {
  const user = await newUser();
  const model = charged(streaming([text("Hello"), ...finish(reported())]), user);
  await streamText({ ...quiet, model }).consumeStream();
  assert.deepEqual(await charges(user), [70]);
});

test("a stream that fails before any text was sent is free", async () => {
  const user = await newUser();
  const onError = () => undefined;
  const error = { type: "error", error: new RangeError("broken") };
  for (const parts of [[error], [error, ...finish(reported(30, 20))], finish(reported(30, 20), failed)]) {
    await streamText({ ...quiet, model: charged(streaming(parts), user), onError }).consumeStream();
  }
  const refusing = new MockLanguageModelV3({ doStream: () => Promise.reject(new RangeError("broken")) });
  await streamText({ ...quiet, model: charged(refusing, user), onError }).consumeStream();
  assert.deepEqual([await charges(user), await holds(user)], [[], ["released", "released", "released", "released"]]);
});

test("a stream that fails in the middle is charged for its prompt and the text that was sent", async () => {
  const user = await newUser(300);
  const onError = () => undefined;
  const error = { type: "error", error: new RangeError("broken") };
  for (const parts of [[text("Hel"), error], [text("Hel"), ...finish(reported(30, 20), failed)]]) {
    await streamText({ ...quiet, model: charged(streaming(parts), user), onError }).consumeStream();
  }
  assert.deepEqual(await charges(user), [21, 35]); // 40 × 0.5 + 1, then what the provider reports
});

test("a stream that is stopped is charged for its prompt and the text that was sent", async () => {
  for (const stopped of ["aborted", "cancelled"]) {
    const user = await newUser();
    const aborter = new AbortController();
    const model = charged(streaming([text("a".repeat(30)), text("b"), text("c"), ...finish(reported(30, 20))], 200), user);
    const request = [{ role: "user" as const, content: [{ type: "text" as const, text: "Hello" }] }];
    const { stream } = await model.doStream({ prompt: request, abortSignal: aborter.signal });
    const reader = stream.getReader();
    for (;;) {
      const { value } = await reader.read();
      if (value?.type === "text-delta") break;
    }
    if (stopped === "aborted") aborter.abort();
    else await reader.cancel();
    await until(async () => (await holds(user))[0] === "captured");
    const [cost] = await charges(user);
    assert.ok(Number(cost) >= 30 && Number(cost) <= 31, `${stopped}: ${cost}`); // 40 × 0.5 + 30 / 3
  }
});

test("a stream that failed is free, also for a reader who leaves then", async () => {
  const user = await newUser();
  const model = charged(streaming([{ type: "error", error: "broken" }, text("b")]), user);
  const { stream } = await model.doStream({ prompt: [] });
  const reader = stream.getReader();
  while ((await reader.read()).value?.type !== "error");
  await reader.cancel();
  assert.deepEqual([await charges(user), await holds(user)], [[], ["released"]]);
});

test("each step of a loop with tools is charged", async () => {
  const user = await newUser();
  const results = [
    { content: [{ type: "tool-call", toolCallId: "1", toolName: "add", input: "{}" }], finishReason: { unified: "tool-calls", raw: undefined } },
    { content: [{ type: "text", text: "3" }], finishReason: stop },
  ].map((result) => ({ ...result, usage: reported(10, 5), warnings: [] })) as unknown as Result[];
  const add = tool({ inputSchema: jsonSchema<object>({ type: "object" }), execute: async () => 3 });
  const model = charged(new MockLanguageModelV3({ doGenerate: results }), user);
  assert.equal((await generateText({ ...quiet, model, tools: { add }, stopWhen: stepCountIs(2) })).text, "3");
  assert.deepEqual(await charges(user), [10, 10]);
});

test("a bank that is busy for a moment is asked again, and a charge whose answer is lost counts once", async () => {
  const user = await newUser();
  const busy = failing({ before: first(new Response(null, { status: 503 })), after: (number) => (number === 3 ? new TypeError("lost") : undefined) });
  await generateText({ ...quiet, model: charged(answering(reported(30, 20)), user, { bank: bankWith(busy) }) });
  assert.deepEqual([busy.seen.length, await charges(user), await holds(user)], [4, [35], ["captured"]]);
});

test("an answer that cannot be charged is not given", async () => {
  const user = await newUser();
  const away = failing({ before: (number) => (number > 1 ? UNSENT : undefined) });
  const model = charged(answering(reported(30, 20)), user, { bank: bankWith(away) });
  await assert.rejects(generateText({ ...quiet, model }), { name: "Unavailable" });
});
