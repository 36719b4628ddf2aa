/** A hold around a piece of work: what the work has used, and how the hold therefore ends. */
import { BankError, HoldClosed, HoldExpired } from "./errors.js";
import { sum, type Usage } from "./exact.js";
import type { Capture, Held, Release } from "./receipts.js";

/** What a hold asks of the bank. */
export interface Calls {
  capture(holdId: string, usage: Usage | undefined, options: PartOptions): Promise<Capture>;
  release(holdId: string, reason: string | undefined): Promise<Release>;
  extend(holdId: string, ttl: number): Promise<Held>;
}

interface PartOptions {
  final: boolean;
  key?: string | undefined;
}

const SHARE = 2 / 3; // of the ttl, after which a hold is extended
const LONGEST_TIMER = 2 ** 31 - 1; // milliseconds

export class Hold {
  /** The hold as it began. */
  readonly receipt: Held;
  /** The last charge. */
  captured: Capture | undefined;

  readonly #calls: Calls;
  readonly #ttl: number;
  readonly #until: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #used: Usage | undefined;
  #delivered: Usage = {};
  #parts = 0;
  #kept = false;
  #ended = false;

  /**
   * Throws HoldClosed for a key whose hold is over: the work must not begin.
   * ttl, longest: seconds. The hold is extended for at most `longest`.
   */
  constructor(calls: Calls, receipt: Held, ttl: number, longest: number) {
    const { state } = receipt;
    if (state !== "open") {
      const Kind = state === "expired" ? HoldExpired : HoldClosed;
      const text = `the hold of this key is over: it is ${state}`;
      throw new Kind(text, { status: 409, slug: "hold_closed", facts: { state } });
    }
    this.receipt = receipt;
    this.#calls = calls;
    this.#ttl = ttl;
    this.#until = Date.now() + longest * 1000;
    this.#watch(receipt.expires_at);
  }

  get holdId(): string {
    return this.receipt.hold_id;
  }

  /** Whether the hold was captured or released, or is left open for a later call. */
  get ended(): boolean {
    return this.#ended || this.#kept;
  }

  /**
   * Say what the work has used, beside what was delivered. It is charged if the work succeeds.
   * The last word counts. If the work says nothing, all that is held is charged.
   */
  used(usage: Usage): void {
    this.#used = sum({}, usage);
  }

  /** Add what the user has received of a stream. It is charged, even if the rest of the work fails. */
  delivered(usage: Usage): void {
    this.#delivered = sum(this.#delivered, usage);
  }

  /**
   * Leave the hold open at the end, because the provider says later what was used.
   * Charge it then with `capture` of the bank: in time, or at most 24 hours late.
   */
  keepOpen(): void {
    this.#kept = true;
  }

  /** Charge a part now and keep the rest held. A key of your own makes a repeat harmless. Throws BankError. */
  async capture(usage: Usage, key?: string): Promise<Capture> {
    const receipt = await this.#calls.capture(this.holdId, usage, { final: false, key });
    this.#parts += 1;
    return (this.captured = receipt);
  }

  /** Release the hold now. The parts that were captured stay charged. Throws BankError. */
  async release(reason?: string): Promise<Release> {
    const receipt = await this.#calls.release(this.holdId, reason);
    this.#end();
    return receipt;
  }

  /** Let the hold last for `ttl` seconds from now. Throws BankError. */
  async extend(ttl = this.#ttl): Promise<Held> {
    return await this.#calls.extend(this.holdId, ttl);
  }

  /** The work has succeeded: charge what it used. Throws BankError. */
  async succeed(): Promise<void> {
    if (!this.#end()) return;
    const usage = this.#used === undefined ? this.#deliveries() : sum(this.#used, this.#delivered);
    if (usage === undefined && this.#parts > 0) {
      await this.#calls.release(this.holdId, undefined); // the parts have charged all that was used
    } else {
      this.captured = await this.#calls.capture(this.holdId, usage, { final: true });
    }
  }

  /** The client left in the middle of a stream, so the work has not failed. Throws BankError. */
  async hangUp(): Promise<void> {
    await this.succeed();
  }

  /** The work has failed or was aborted: charge only what was delivered. The hold expires by itself if that fails. */
  async fail(error: unknown, aborted = false): Promise<void> {
    if (!this.#end()) return;
    const usage = this.#deliveries();
    try {
      if (usage === undefined) await this.#calls.release(this.holdId, reasonOf(error, aborted));
      else this.captured = await this.#calls.capture(this.holdId, usage, { final: true });
    } catch (failure) {
      console.warn(`pgcredits: hold ${this.holdId} was not ended, and expires by itself: ${told(failure)}`);
    }
  }

  /** `await using` cannot see whether its block failed, so it releases what `succeed` has not charged. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.fail(new Error("it was not said that the work succeeded"));
  }

  /** False if it has ended already, or is left open. */
  #end(): boolean {
    clearTimeout(this.#timer);
    const first = !this.ended;
    this.#ended = true;
    return first;
  }

  #deliveries(): Usage | undefined {
    return Object.keys(this.#delivered).length > 0 ? this.#delivered : undefined;
  }

  #watch(expiresAt: string): void {
    const wait = Math.min(this.#ttl * SHARE * 1000, LONGEST_TIMER);
    if (this.ended || !(Date.now() + wait < this.#until)) return;
    this.#timer = setTimeout(() => void this.#again(expiresAt), wait);
    (this.#timer as { unref?: () => void }).unref?.(); // Node may end: the hold expires by itself
  }

  async #again(expiresAt: string): Promise<void> {
    try {
      const held = await this.extend();
      if (Date.parse(held.expires_at) > Date.parse(expiresAt)) this.#watch(held.expires_at);
    } catch (failure) {
      // The work goes on. Its capture is then late, which the bank allows for 24 hours.
      if (!this.ended) console.warn(`pgcredits: hold ${this.holdId} was not extended: ${told(failure)}`);
    }
  }
}

/** The reason of a release. The figures count what begins with failed; an aborted job has not failed. */
function reasonOf(error: unknown, aborted: boolean): string {
  const name = error instanceof Error ? error.name : typeof error;
  return `${aborted ? "cancelled" : "failed"}: ${name}`;
}

function told(failure: unknown): string {
  return failure instanceof BankError ? (failure.slug ?? failure.message) : String(failure);
}
