/** The bank: every call that an application needs to charge its users. */
import { KEYED, READING, type Database } from "./database.js";
import { encode, numbers, type Quantity, type Usage } from "./exact.js";
import { Hold } from "./hold.js";
import { Http, notOfTheBank, type HttpOptions, type Sent } from "./http.js";
import type { Account, Capture, Grant, Held, Quote, Refund, Release, Spend } from "./receipts.js";

type Api = Database["api"];
type Functions = Api["Functions"];
type Views = Api["Views"];
export type Metadata = Readonly<Record<string, unknown>>;
/** At most 8 small texts that say what a use was for, without personal data. */
export type Tags = Readonly<Record<string, string>>;
type User = string | undefined;

/** An idempotency key: the call counts once, however often it is made with it. One is made if none is given. */
interface Keyed {
  key?: string | undefined;
}

export interface SpendOptions extends Keyed {
  /** Without it, one call. */
  usage?: Usage | undefined;
  metadata?: Metadata | undefined;
  byok?: boolean | undefined;
  tags?: Tags | undefined;
}

export interface HoldOptions extends Keyed {
  /** The worst case. Without it, one call. */
  usage?: Usage | undefined;
  /** Seconds, 15 minutes by default. */
  ttl?: number | undefined;
  /** Seconds. The hold is extended while the work runs, for at most 24 hours by default. */
  longest?: number | undefined;
  /** What becomes of usage that the tokens do not pay for, as capture_hold takes it. */
  over?: Over | undefined;
  metadata?: Metadata | undefined;
  /** Each charge of the hold gets them. */
  tags?: Tags | undefined;
  /** Ends the work: the hold is released. */
  signal?: AbortSignal | undefined;
}

export type Over = "debt" | "available" | "error";

export interface CaptureOptions extends Keyed {
  final?: boolean | undefined;
  over?: Over | undefined;
  user?: User;
}

export interface GrantOptions extends Keyed {
  reason?: string | undefined;
  package?: string | undefined;
  expiresAt?: Date | undefined;
  priority?: number | undefined;
  scope?: string | undefined;
  metadata?: Metadata | undefined;
}

const TTL = 15 * 60;
const LONGEST = 24 * 60 * 60;
const LONGEST_REASON = 200; // characters that release_hold takes

/**
 * Charges users over HTTP. Every call throws BankError.
 *
 * url, apiKey: the HTTP API, and the key (or token) of a backend or of one user. They are looked at when a call is
 * made. user: the id of the user; leave it out for a user's own token.
 */
export class Bank {
  readonly #http: Http;

  constructor(url?: string, apiKey?: string, options: HttpOptions = {}) {
    this.#http = new Http(url, apiKey, options);
  }

  /** Charge a use of a module. */
  async spend(module: string, user?: User, { usage, ...options }: SpendOptions = {}): Promise<Spend> {
    const { key, metadata, byok, tags } = options;
    const args = { module_id: module, user_id: user, usage: numbers(usage), metadata, byok, tags };
    return await this.#receipt("consume_tokens", keyed(args, key), "entry_id");
  }

  /** What a use would cost now, and whether the balance pays for it. */
  async quote(module: string, user?: User, { usage }: { usage?: Usage } = {}): Promise<Quote> {
    return await this.#receipt("quote_tokens", { module_id: module, user_id: user, usage: numbers(usage) }, "module_id");
  }

  /** Open the account of a user, unless there is one. */
  async openAccount(user?: User): Promise<Account> {
    return await this.#receipt("open_account", { user_id: user }, "user_id");
  }

  /** Grant tokens, as a lot. Only a service may; a spender may not. */
  async grant(user: string, tokens: Quantity, options: GrantOptions = {}): Promise<Grant> {
    const { key, reason = "grant", package: package_name, expiresAt, priority, scope, metadata } = options;
    const args = { user_id: user, tokens, reason, package_name, priority, scope, metadata };
    return await this.#receipt("add_tokens", keyed({ ...args, expires_at: expiresAt?.toISOString() }, key), "entry_id");
  }

  /** Give back a charge, whole or in part. Only a service may. */
  async refundUsage(
    entryId: string,
    { tokens, reason, key }: Keyed & { tokens?: Quantity; reason?: string } = {},
  ): Promise<Refund> {
    return await this.#receipt("refund_usage", keyed({ entry_id: entryId, tokens, reason }, key), "entry_id");
  }

  /**
   * Hold the worst case while `work` runs. It is captured when the work succeeds, with what `hold.used(…)` and
   * `hold.delivered(…)` said. It is released when the work throws or the signal aborts, and extended while it runs.
   * Returns what the work returns.
   *
   * key: a job that is started again with its key finds the hold of the first start. If that job was finished, it
   * throws HoldClosed.
   */
  async hold<T>(module: string, user: User, options: HoldOptions, work: (hold: Hold) => Promise<T> | T): Promise<T>;
  /** A hold without work around it, for `await using`. Charge it with `hold.succeed()`. */
  async hold(module: string, user?: User, options?: HoldOptions): Promise<Hold>;
  async hold<T>(
    module: string,
    user?: User,
    options: HoldOptions = {},
    work?: (hold: Hold) => Promise<T> | T,
  ): Promise<T | Hold> {
    options.signal?.throwIfAborted();
    const hold = await this.#begin(module, user, options);
    let result: T | Hold = hold;
    try {
      options.signal?.throwIfAborted();
      if (work === undefined) return hold;
      result = await unlessAborted(work(hold), options.signal);
    } catch (error) {
      await hold.fail(error, options.signal?.aborted);
      throw error;
    }
    await hold.succeed();
    return result;
  }

  /** Charge a hold by its id. Without `usage`, all that is held. */
  async capture(holdId: string, usage?: Usage, options: CaptureOptions = {}): Promise<Capture> {
    const { key, final, over, user } = options;
    const args = { hold_id: holdId, usage: numbers(usage), final, over, user_id: user };
    return await this.#receipt("capture_hold", keyed(args, key), "hold_id");
  }

  /** Release a hold. A reason that begins with failed counts as a failure. */
  async release(holdId: string, reason?: string, { key, user }: Keyed & { user?: User } = {}): Promise<Release> {
    const short = reason?.replace(/[^\P{C} ]/gu, "").slice(0, LONGEST_REASON);
    return await this.#receipt("release_hold", keyed({ hold_id: holdId, reason: short, user_id: user }, key), "hold_id");
  }

  /** Let an open hold last for `ttl` seconds from now. Said twice, it is the same. */
  async extend(holdId: string, ttl = TTL, { user }: { user?: User } = {}): Promise<Held> {
    return await this.#receipt("extend_hold", { hold_id: holdId, ttl: length(ttl), user_id: user }, "hold_id");
  }

  /** Any function of the schema `api`. An idempotency key is made if the function takes one and none is given. */
  async call<N extends keyof Functions & string>(name: N, args: Functions[N]["Args"]): Promise<Functions[N]["Returns"]> {
    const needsKey = KEYED.has(name) && !("idempotency_key" in args && args.idempotency_key != null);
    return (await this.#send(name, needsKey ? keyed(args, undefined) : args)) as Functions[N]["Returns"];
  }

  /** Rows of a view of the schema `api`, as `bank.read("lots", { user_id: "eq.ada", order: "lot_id" })`. */
  async read<N extends keyof Views & string>(view: N, query: Record<string, string> = {}): Promise<Views[N]["Row"][]> {
    const rows = await this.#http.run({ path: `/rest/v1/${view}?${new URLSearchParams(query)}`, repeatable: true });
    if (!Array.isArray(rows)) throw notOfTheBank();
    return rows;
  }

  async #begin(module: string, user: User, options: HoldOptions): Promise<Hold> {
    const { usage, ttl = TTL, longest = LONGEST, over, metadata, tags, key } = options;
    const args = { module_id: module, user_id: user, usage: numbers(usage), ttl: length(ttl), metadata, tags };
    const held = await this.#receipt<Held>("hold_tokens", keyed(args, key), "hold_id");
    const calls = {
      capture: (id: string, used: Usage | undefined, part: CaptureOptions) =>
        this.capture(id, used, { ...part, over, user }),
      release: (id: string, reason: string | undefined) => this.release(id, reason, { user }),
      extend: (id: string, seconds: number) => this.extend(id, seconds, { user }),
    };
    return new Hold(calls, held, ttl, longest);
  }

  /** The answer of a function, which has this member. */
  async #receipt<T extends object>(name: string, args: object, member: keyof T & string): Promise<T> {
    const answer = (await this.#send(name, args)) as T | null;
    if (typeof answer?.[member] !== "string") throw notOfTheBank();
    return answer;
  }

  async #send(name: string, args: object): Promise<unknown> {
    const repeatable = KEYED.has(name) || READING.has(name) || name === "extend_hold" || name === "open_account";
    const sent: Sent = { path: `/rest/v1/rpc/${name}`, body: encode(args), repeatable };
    return await this.#http.run(sent);
  }
}

/** Nobody else has the key that is made. */
function keyed<T extends object>(args: T, key: string | undefined) {
  return { ...args, idempotency_key: key ?? crypto.randomUUID() };
}

/** A length of time in ISO 8601. */
function length(seconds: number): string {
  if (!Number.isFinite(seconds)) throw new TypeError(`${seconds} is not a number of seconds`);
  return `PT${seconds.toFixed(6)}S`;
}

/** The result of the work, unless the signal aborts before it is there. */
async function unlessAborted<T>(work: Promise<T> | T, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  const { promise, stop } = aborting(signal);
  try {
    return await Promise.race([work, promise]);
  } finally {
    stop();
    void Promise.resolve(work).catch(() => undefined); // nobody waits for work that was aborted
  }
}

function aborting(signal: AbortSignal): { promise: Promise<never>; stop: () => void } {
  let stop = () => {};
  const promise = new Promise<never>((_, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    stop = () => signal.removeEventListener("abort", abort);
    if (signal.aborted) abort();
  });
  return { promise, stop };
}
