/** `wrapLanguageModel({ model, middleware: charging(terms) })`: calls of language models through the AI SDK. */
import type { LanguageModelMiddleware } from "ai";
import type { Bank, Metadata, Over, Tags } from "./bank.js";
import type { Usage } from "./exact.js";
import type { Hold } from "./hold.js";
import { holdOf } from "./newcomer.js";
import { chargedStream } from "./stream.js";

type Wrapped = Parameters<NonNullable<LanguageModelMiddleware["wrapGenerate"]>>[0];
type Params = Wrapped["params"];
type Result = Awaited<ReturnType<Wrapped["doGenerate"]>>;
type Reported = Result["usage"];
type StreamResult = Awaited<ReturnType<Wrapped["doStream"]>>;
type Part = StreamResult["stream"] extends ReadableStream<infer P> ? P : never;

export interface ModelTerms {
  bank: Bank;
  module: string;
  /** The id of the user who pays. */
  user: string;
  /** How many tokens the model may answer with, where the call does not say it. */
  maxOutputTokens?: number;
  /** How many tokens the prompt has at most. By default a third of its bytes, and 2000 for each file. */
  promptTokens?: (params: Params) => number;
  ttl?: number;
  over?: Over;
  metadata?: Metadata;
  tags?: Tags;
}

const FILE = 2000; // tokens

/**
 * A middleware that holds the worst case of each call, and charges what the provider reports. A call that fails is
 * free. If the provider reports no usage, all that was held is charged. If the client leaves a stream, the prompt and
 * the text that it got are charged, as they are estimated.
 */
export function charging(terms: ModelTerms): LanguageModelMiddleware {
  const { bank, module, user, promptTokens = estimated, ttl, over, metadata, tags } = terms;

  const begin = async (params: Params): Promise<{ hold: Hold; prompt: number }> => {
    const most = params.maxOutputTokens;
    if (most === undefined) throw new TypeError("maxOutputTokens is missing: the worst case of the call is not known");
    const prompt = promptTokens(params);
    const usage = { input_tokens: prompt, output_tokens: most };
    const options = { usage, ttl, over, metadata, tags, signal: params.abortSignal };
    return { hold: await holdOf(bank, module, user, options), prompt };
  };

  return {
    specificationVersion: "v3",

    async transformParams({ params }) {
      return { ...params, maxOutputTokens: params.maxOutputTokens ?? terms.maxOutputTokens };
    },

    async wrapGenerate({ doGenerate, params }) {
      const { hold } = await begin(params);
      let result: Result;
      try {
        result = await doGenerate();
      } catch (error) {
        await hold.fail(error, params.abortSignal?.aborted);
        throw error;
      }
      const usage = usageOf(result.usage);
      if (usage !== undefined) hold.used(usage);
      await (result.finishReason.unified === "error" ? hold.fail(new ModelFailed()) : hold.succeed());
      return result;
    },

    async wrapStream({ doStream, params }) {
      const { hold, prompt } = await begin(params);
      let result: StreamResult;
      try {
        result = await doStream();
      } catch (error) {
        await hold.fail(error, params.abortSignal?.aborted);
        throw error;
      }
      let text = "";
      let finished = false;
      let reported: Usage | undefined;
      const watch = {
        part(part: Part) {
          if ("delta" in part) text += part.delta; // of text, of reasoning, of the input of a tool
          if (part.type === "finish") {
            finished = true;
            reported = usageOf(part.usage);
            if (reported !== undefined) hold.used(reported);
          }
          const failed = part.type === "error" || (part.type === "finish" && part.finishReason.unified === "error");
          return failed ? new ModelFailed() : undefined;
        },
        broken() {
          if (text !== "") hold.delivered(reported ?? { input_tokens: prompt, output_tokens: tokensIn(text) });
        },
        left() {
          if (!finished) hold.used({ input_tokens: prompt, output_tokens: tokensIn(text) });
        },
      };
      return { ...result, stream: chargedStream(result.stream, hold, watch, params.abortSignal) };
    },
  };
}

/** The model has answered with an error, or ended with one. */
class ModelFailed extends Error {
  override name = "ModelFailed";
}

/**
 * What the provider reports, each token once. The bank charges a part that the price has no rate for as what it is a
 * part of: cached input as input, reasoning as output. Undefined if not both input and output are reported.
 */
export function usageOf({ inputTokens: input, outputTokens: output }: Reported): Usage | undefined {
  if (!Number.isFinite((input.total ?? NaN) + (output.total ?? NaN))) return undefined;
  const cached = counted(input.cacheRead);
  const written = counted(input.cacheWrite);
  const reasoning = counted(output.reasoning);
  return {
    input_tokens: Math.max(counted(input.total) - cached - written, 0),
    cached_input_tokens: cached,
    cache_write_tokens: written,
    output_tokens: Math.max(counted(output.total) - reasoning, 0),
    reasoning_tokens: reasoning,
  };
}

function counted(quantity: number | undefined): number {
  return quantity !== undefined && Number.isFinite(quantity) ? quantity : 0;
}

/** An estimate of the prompt with its tools, on the safe side for text in most languages. */
function estimated({ prompt, tools }: Params): number {
  let files = 0;
  const text = JSON.stringify([prompt, tools], function (this: object, name, value: unknown) {
    const file = name === "data" && "mediaType" in this;
    files += Number(file);
    return file ? undefined : value;
  });
  return tokensIn(text) + files * FILE;
}

function tokensIn(text: string): number {
  return Math.ceil(new TextEncoder().encode(text).length / 3);
}
