/** Calls over HTTP. A call is sent again after a 503 or a broken connection, with the same key, and not for ever. */
import { BankError, Unavailable, refusalOf } from "./errors.js";
import { decode } from "./exact.js";

/**
 * A call is sent at most `attempts` times (5). The wait after attempt n is a random part of `first` (0.1) × 2ⁿ⁻¹
 * seconds, at most `longest` (5), and at least what the bank asks for with Retry-After. If that is more than
 * `longest`, the call is not sent again.
 */
export interface Retries {
  attempts?: number;
  first?: number;
  longest?: number;
}

export interface HttpOptions {
  /** Seconds for each attempt, 10 by default. */
  timeout?: number;
  retries?: Retries;
  /** Sends the requests, as the global fetch does. */
  fetch?: typeof fetch;
}

export interface Sent {
  path: string;
  /** JSON. A call without a body is a GET. */
  body?: string;
  /** Whether the bank does it once, however often it is sent. */
  repeatable: boolean;
}

/** Codes of Node's errors for a request that was not sent. */
const UNSENT = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"];

export class Http {
  readonly #url: string | undefined;
  readonly #apiKey: string | undefined;
  readonly #timeout: number;
  readonly #retries: Required<Retries>;
  readonly #fetch: typeof fetch;

  /** The URL and the key are looked at when a call is made: `next build` loads an application without its settings. */
  constructor(url: string | undefined, apiKey: string | undefined, options: HttpOptions) {
    this.#url = url?.replace(/\/+$/, "");
    this.#apiKey = apiKey;
    this.#timeout = options.timeout ?? 10;
    this.#retries = { attempts: 5, first: 0.1, longest: 5, ...options.retries };
    this.#fetch = options.fetch ?? ((...request) => fetch(...request));
    const { attempts, first, longest } = this.#retries;
    if (!(attempts >= 1 && first >= 0 && longest >= 0 && this.#timeout > 0)) {
      throw new TypeError("attempts must be at least 1, waits not below 0, and timeout above 0");
    }
  }

  /** The answer, decoded. Throws BankError, and TypeError for a URL or a key that cannot be sent. */
  async run(call: Sent): Promise<unknown> {
    const request = requestOf(call, this.#url, this.#apiKey);
    let unsure = false; // whether an attempt may have been done
    for (let attempt = 1; ; attempt++) {
      const got = await this.#attempt(request);
      if (!(got instanceof Unavailable)) {
        if (got instanceof BankError) throw got;
        return got;
      }
      unsure ||= got.outcome !== "nothing";
      const wait = call.repeatable ? this.#wait(attempt, got.retryAfter ?? 0) : undefined;
      if (wait === undefined) throw unsure ? withUnknownOutcome(got) : got;
      await new Promise((resolve) => setTimeout(resolve, wait * 1000));
    }
  }

  async #attempt({ url, ...request }: Request): Promise<unknown> {
    let response: Response;
    let text: string;
    try {
      response = await this.#fetch(url, { ...request, signal: AbortSignal.timeout(this.#timeout * 1000) });
      text = await response.text();
    } catch (error) {
      return unreachable(error);
    }
    if (!response.ok) return refused(response, text);
    try {
      return decode(text);
    } catch {
      return notOfTheBank(response.status);
    }
  }

  /** Seconds to wait after this attempt, counted from 1. Undefined: do not send it again. */
  #wait(attempt: number, asked: number): number | undefined {
    const { attempts, first, longest } = this.#retries;
    if (attempt >= attempts || asked > longest) return undefined;
    return Math.max(asked, Math.random() * Math.min(longest, first * 2 ** (attempt - 1)));
  }
}

export function notOfTheBank(status = 200): BankError {
  return new BankError("the answer is not one of the bank: is the URL right?", { status });
}

interface Request extends RequestInit {
  url: string;
}

function requestOf({ path, body }: Sent, url: string | undefined, apiKey: string | undefined): Request {
  if (!/^https?:\/\/./.test(url ?? "")) throw new TypeError("the URL of the bank must begin with http:// or https://");
  const headers = new Headers({ "Content-Type": "application/json" });
  try {
    if (apiKey !== undefined) headers.set("Authorization", `Bearer ${apiKey}`);
  } catch {
    throw new TypeError("the API key has characters that cannot be sent"); // fetch's own message shows the key
  }
  return {
    url: new URL(url + path).href,
    method: body === undefined ? "GET" : "POST",
    headers,
    body: body ?? null,
    redirect: "manual", // the key goes to nobody else
  };
}

function refused(response: Response, text: string): BankError {
  const body = objectIn(text);
  const message = typeof body["message"] === "string" ? body["message"] : undefined;
  const facts = typeof body["details"] === "string" ? objectIn(body["details"]) : {};
  return refusalOf(
    message ?? `the bank answered with status ${response.status}`, // a proxy, perhaps
    response.status,
    facts,
    retryAfter(response.headers.get("retry-after")),
  );
}

/** A JSON object, or an empty one. */
function objectIn(text: string): Record<string, unknown> {
  try {
    const found = decode(text);
    return typeof found === "object" && found !== null ? { ...found } : {};
  } catch {
    return {};
  }
}

/** Seconds from now, of a header that has seconds or a date. Undefined when it cannot be read. */
function retryAfter(text: string | null): number | undefined {
  if (text === null) return undefined;
  const seconds = /^\s*\d+\s*$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(seconds, 0);
}

function unreachable(error: unknown): Unavailable {
  const name = error instanceof Error ? error.name : typeof error;
  const code = (error as { cause?: { code?: unknown } } | null)?.cause?.code;
  const outcome = typeof code === "string" && UNSENT.includes(code) ? "nothing" : "unknown";
  return new Unavailable(`the bank did not answer: ${typeof code === "string" ? code : name}`, {
    status: 503,
    slug: "unavailable",
    facts: { outcome },
    cause: error,
  });
}

/** The last refusal. An attempt before it may have been done. */
function withUnknownOutcome({ message, status, facts, retryAfter, cause }: Unavailable): Unavailable {
  return new Unavailable(message, {
    status,
    slug: "unavailable",
    facts: { ...facts, outcome: "unknown" },
    retryAfter,
    cause,
  });
}
