/** What your own application has in place of this: its sign-in, its work, and the model of its provider. */
import { setTimeout } from "node:timers/promises";
import { simulateReadableStream } from "ai";
import { MockLanguageModelV3 } from "ai/test";

export function signedIn(request: Request): string | Response {
  return request.headers.get("x-user") ?? Response.json({ error: "not_signed_in" }, { status: 401 });
}

/** It may fail. */
export async function paint(prompt: string, count: number): Promise<string[]> {
  if (count < 1) throw new RangeError("nothing to paint");
  return Array.from({ length: count }, (_, number) => `${prompt}, variation ${number + 1}`);
}

/** Two parts, and one more after each pause, in milliseconds. It fails if a pause is negative. */
export async function* tell(pauses: number[], signal: AbortSignal): AsyncGenerator<string> {
  yield "Once upon a time ";
  yield "there was a bank. ";
  for (const pause of pauses) {
    if (pause < 0) throw new RangeError("the story is lost");
    await setTimeout(pause, undefined, { signal });
    yield "And then … ";
  }
}

const words = ["It ", "costs ", "tokens."];
const none = { cacheRead: undefined, cacheWrite: undefined };

/** In your application: openai("gpt-5") of @ai-sdk/openai, or the model of any other provider. */
export const model = new MockLanguageModelV3({
  doStream: async () => ({
    stream: simulateReadableStream({
      chunkDelayInMs: 50,
      chunks: [
        { type: "text-start", id: "1" },
        ...words.map((delta) => ({ type: "text-delta" as const, id: "1", delta })),
        { type: "text-end", id: "1" },
        {
          type: "finish",
          finishReason: { unified: "stop", raw: "stop" },
          usage: {
            inputTokens: { total: 10, noCache: 10, ...none },
            outputTokens: { total: 5, text: 5, reasoning: undefined },
          },
        },
      ],
    }),
  }),
});
