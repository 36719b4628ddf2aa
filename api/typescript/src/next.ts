/** `export const POST = charge("image", terms, handler)`: route handlers of Next.js, and of all that speak Request. */
import type { Bank, Metadata, Over, Tags } from "./bank.js";
import { BankError } from "./errors.js";
import type { Usage } from "./exact.js";
import type { Hold } from "./hold.js";
import { holdOf } from "./newcomer.js";
import { chargedStream } from "./stream.js";

export interface Terms<R extends Request> {
  bank: Bank;
  /** Says who pays, by your own sign-in. A Response, as a 401, is the answer: nothing is held. */
  user: (request: R) => string | Response | Promise<string | Response>;
  /** The worst case. Without it, one call. */
  usage?: Usage;
  /** Seconds, 15 minutes by default. */
  ttl?: number;
  over?: Over;
  metadata?: Metadata;
  tags?: Tags;
}

/** What the caller of the application may see of a refusal. The rest is a fault of the application. */
const TOLD = [402, 409, 423, 429, 503];

/**
 * A route handler that holds tokens for each request. They are captured before the last part of a good answer is
 * sent, and released if the handler throws or answers with an error (a status from 400 on).
 */
export function charge<R extends Request, C>(
  module: string,
  { bank, user, ...options }: Terms<R>,
  handler: (request: R, hold: Hold, context: C) => Response | Promise<Response>,
): (request: R, context: C) => Promise<Response> {
  return async (request, context) => {
    const payer = await user(request);
    if (payer instanceof Response) return payer;
    if (typeof payer !== "string" || payer === "") throw new TypeError("`user` must say who pays");
    try {
      const hold = await holdOf(bank, module, payer, options);
      return await answered(request, hold, () => handler(request, hold, context));
    } catch (error) {
      const answer = refusal(error);
      if (answer === undefined) throw error;
      return answer;
    }
  };
}

/** The answer for a refusal that the caller may see: 402 with the facts, 409, 423, 429, 503. Otherwise undefined. */
export function refusal(error: unknown): Response | undefined {
  if (!(error instanceof BankError) || !TOLD.includes(error.status)) return undefined;
  const { facts, slug, message, status, retryAfter } = error;
  const headers = retryAfter === undefined ? undefined : { "Retry-After": String(Math.ceil(retryAfter)) };
  return Response.json({ ...facts, error: slug ?? null, message }, { status, ...(headers && { headers }) });
}

async function answered(request: Request, hold: Hold, work: () => Response | Promise<Response>): Promise<Response> {
  let response: Response;
  let body: Body | null;
  try {
    response = await work();
    if (response.status < 200 || response.status >= 400) throw new AnsweredWithError(response);
    body = response.body === null ? null : await begun(response.body);
  } catch (error) {
    await hold.fail(error);
    if (error instanceof AnsweredWithError) return error.response;
    throw error;
  }
  if (body?.rest !== undefined) return new Response(chargedStream(body.rest, hold, {}, request.signal), response);
  await hold.succeed();
  return body === null ? response : new Response(body.whole, response);
}

/** The handler answered with an error, so its work has failed. */
class AnsweredWithError extends Error {
  override name = "AnsweredWithError";

  constructor(readonly response: Response) {
    super(String(response.status));
  }
}

type Bytes = Uint8Array<ArrayBuffer>;
type Read = ReadableStreamReadResult<Bytes>;
type Body = { whole: Bytes | null; rest?: never } | { rest: ReadableStream<Bytes> };

/** A body that is there in one part, or a stream whose first part is there. */
async function begun(stream: ReadableStream<Bytes>): Promise<Body> {
  const reader = stream.getReader();
  const first = await reader.read();
  if (first.done) return { whole: null };
  const second = reader.read();
  const soon = await Promise.race([second, new Promise<undefined>((resolve) => setTimeout(resolve, 0, undefined))]);
  if (soon?.done === true) return { whole: first.value };
  return { rest: resumed([Promise.resolve(first), second], reader) };
}

function resumed(reads: Promise<Read>[], reader: ReadableStreamDefaultReader<Bytes>): ReadableStream<Bytes> {
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await (reads.shift() ?? reader.read());
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
