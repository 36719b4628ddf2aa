/** `wrapLanguageModel({ model, middleware: charging(terms) })`: calls of language models through the AI SDK. */
import type { LanguageModelMiddleware } from "ai";
import type { Bank, Metadata, Over } from "./bank.js";
import type { Usage } from "./exact.js";
import type { Hold } from "./hold.js";
import { chargedStream } from "./stream.js";

type Wrapped = Parameters<NonNullable<LanguageModelMiddleware["wrapGenerate"]>>[0];
type Params = Wrapped["params"];
type Result = Awaited<ReturnType<Wrapped["doGenerate"]>>;
type Reported = Result["usage"];
type StreamResult = Awaited<ReturnType<Wrapped["doStream"]>>;
type Part = StreamResult["stream"] extends ReadableStream<infer P> ? P : never;

/** What a price may count beside input_tokens and output_tokens. */
export type Dimension = "cached_input_tokens" | "cache_write_tokens" | "reasoning_tokens";

export interface ModelTerms {
  bank: Bank;
  module: string;
  /** The id of the user who pays. */
  user: string;
  /** How many tokens the model may answer with, where the call does not say it. */
  maxOutputTokens?: number;
  /**
   * Dimensions that the price of the module has. Cached input counts as input_tokens without a dimension of its own,
   * and reasoning as output_tokens.
   */
  dimensions?: readonly Dimension[];
  /** How many tokens the prompt has at most. By default a third of its bytes, and 2000 for each file. */
  promptTokens?: (params: Params) => number;
  ttl?: number;
  over?: Over;
  metadata?: Metadata;
}

const FILE = 2000; // tokens

/**
 * A middleware that holds the worst case of each call, and charges what the provider reports. A call that fails is
 * free. If the provider reports no usage, all that was held is charged. If the client leaves a stream, the prompt and
 * the text that it got are charged, as they are estimated.
 */
export function charging(terms: ModelTerms): LanguageModelMiddleware {
  const { bank, module, user, dimensions = [], promptTokens = estimated, ttl, over, metadata } = terms;

  /** The bank wants every dimension of the price. */
  const estimate = (input_tokens: number, output_tokens: number): Usage => {
    const none = Object.fromEntries(dimensions.map((dimension) => [dimension, 0]));
    return { ...none, input_tokens, output_tokens };
  };

  const begin = async (params: Params): Promise<{ hold: Hold; prompt: number }> => {
    const most = params.maxOutputTokens;
    if (most === undefined) throw new TypeError("maxOutputTokens is missing: the worst case of the call is not known");
    const prompt = promptTokens(params);
    const options = { usage: estimate(prompt, most), ttl, over, metadata, signal: params.abortSignal };
    return { hold: await bank.hold(module, user, options), prompt };
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
      const usage = usageOf(result.usage, dimensions);
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
      const watch = {
        part(part: Part) {
          if ("delta" in part) text += part.delta; // of text, of reasoning, of the input of a tool
          if (part.type === "finish") {
            finished = true;
            const usage = usageOf(part.usage, dimensions);
            if (usage !== undefined) hold.used(usage);
          }
          const failed = part.type === "error" || (part.type === "finish" && part.finishReason.unified === "error");
          return failed ? new ModelFailed() : undefined;
        },
        left() {
          if (!finished) hold.used(estimate(prompt, tokensIn(text)));
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
 * What the provider reports, in the dimensions of the price. Undefined if it does not report both input and output.
 */
export function usageOf(reported: Reported, dimensions: readonly Dimension[]): Usage | undefined {
  const { inputTokens: input, outputTokens: output } = reported;
  const usage = { input_tokens: input.total ?? NaN, output_tokens: output.total ?? NaN };
  if (!Number.isFinite(usage.input_tokens + usage.output_tokens)) return undefined;
  const own: Partial<Record<Dimension, number>> = {};
  const part = (name: Dimension, whole: keyof typeof usage, quantity = 0) => {
    if (!dimensions.includes(name)) return;
    own[name] = Number.isFinite(quantity) ? quantity : 0;
    usage[whole] = Math.max(usage[whole] - own[name], 0);
  };
  part("cached_input_tokens", "input_tokens", input.cacheRead);
  part("cache_write_tokens", "input_tokens", input.cacheWrite);
  part("reasoning_tokens", "output_tokens", output.reasoning);
  return { ...usage, ...own };
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
