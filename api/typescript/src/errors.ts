/**
 * What a call can be refused with: a class for each slug that a caller may want to catch.
 * Every error is a BankError with `slug`, `status` and `facts`, also for a slug without a class here.
 */
import type { Numeric } from "./exact.js";

export interface Refusal {
  status: number;
  slug?: string | undefined;
  facts?: Record<string, unknown>;
  /** Seconds. */
  retryAfter?: number | undefined;
  cause?: unknown;
}

/** The bank has refused the call, or has not answered it. */
export class BankError extends Error {
  override name = "BankError";
  readonly status: number;
  readonly slug: string | undefined;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly retryAfter: number | undefined;

  constructor(message: string, { status, slug, facts = {}, retryAfter, cause }: Refusal) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.slug = slug;
    this.facts = facts;
    this.retryAfter = retryAfter;
  }

  protected fact<T>(name: string): T | null {
    return (this.facts[name] as T | undefined) ?? null;
  }
}

/** The tokens do not pay for the use. All numbers are tokens, but `affordable` is a quantity. */
export class InsufficientTokens extends BankError {
  override name = "InsufficientTokens";

  get balance() {
    return this.fact<Numeric>("balance");
  }

  /** What this module may use of the balance. */
  get available() {
    return this.fact<Numeric>("available");
  }

  get cost() {
    return this.fact<Numeric>("cost");
  }

  get missing() {
    return this.fact<Numeric>("missing");
  }

  /** The greatest quantity that the tokens pay for. */
  get affordable() {
    return this.fact<Numeric>("affordable");
  }

  get debt() {
    return this.fact<Numeric>("debt") ?? 0;
  }
}

/** The API key or token is missing, wrong, expired or revoked. */
export class NotSignedIn extends BankError {
  override name = "NotSignedIn";
}

/** The API key or token may not do this. */
export class NotAllowed extends BankError {
  override name = "NotAllowed";
}

/** The module has no price. */
export class UnknownModule extends BankError {
  override name = "UnknownModule";

  get didYouMean() {
    return this.fact<string>("did_you_mean");
  }
}

/** The user has no account. `openAccount` opens it. */
export class UnknownUser extends BankError {
  override name = "UnknownUser";
}

/** There is no such hold, or it belongs to another account. */
export class UnknownHold extends BankError {
  override name = "UnknownHold";
}

/** The idempotency key was used with other arguments. */
export class KeyReused extends BankError {
  override name = "KeyReused";
}

/** The hold was captured or released, or has expired. */
export class HoldClosed extends BankError {
  override name = "HoldClosed";

  /** captured, released or expired. */
  get state() {
    return this.fact<string>("state");
  }
}

/** The time of the hold is over, and the call came too late for it. */
export class HoldExpired extends HoldClosed {
  override name = "HoldExpired";
}

/** The account is frozen or closed. */
export class AccountFrozen extends BankError {
  override name = "AccountFrozen";
}

/** A limit of the account: of spends, of open holds, or of uses without payment. */
export class LimitReached extends BankError {
  override name = "LimitReached";

  get resetAt() {
    const text = this.fact<string>("reset_at");
    return text === null ? null : new Date(text);
  }
}

/** An argument cannot be what it is. The slug says which. */
export class InvalidCall extends BankError {
  override name = "InvalidCall";
}

/**
 * The bank could not be reached, or its answer was lost.
 * Repeat the call with the same key: it counts once.
 */
export class Unavailable extends BankError {
  override name = "Unavailable";

  /** `nothing` if the call was certainly not done, `unknown` if it may have been done. */
  get outcome() {
    return this.fact<string>("outcome") ?? "unknown";
  }
}

/** Another transaction kept the account for too long. Nothing was done. */
export class Busy extends Unavailable {
  override name = "Busy";

  override get outcome() {
    return "nothing";
  }
}

type Kind = new (message: string, refusal: Refusal) => BankError;

/** The slugs of sql/README.md that calls of this client can be refused with. The rest of bad_… is InvalidCall. */
const KINDS: Readonly<Record<string, Kind>> = {
  insufficient_tokens: InsufficientTokens,
  not_signed_in: NotSignedIn,
  api_key_closed: NotSignedIn,
  not_yours: NotAllowed,
  not_allowed: NotAllowed,
  unknown_module: UnknownModule,
  unknown_user: UnknownUser,
  unknown_hold: UnknownHold,
  key_reused: KeyReused,
  hold_closed: HoldClosed,
  account_frozen: AccountFrozen,
  spend_limit: LimitReached,
  too_many_holds: LimitReached,
  unpaid_limit: LimitReached,
  too_large: InvalidCall,
  busy: Busy,
  unavailable: Unavailable,
};

/** The error for a refusal. Its slug is in the facts, under `error`. */
export function refusalOf(message: string, status: number, told: Record<string, unknown>, retryAfter?: number) {
  const { error, ...facts } = told;
  const slug = typeof error === "string" ? error : undefined;
  let kind = slug === undefined ? undefined : Object.hasOwn(KINDS, slug) ? KINDS[slug] : undefined;
  if (kind === undefined && slug?.startsWith("bad_")) kind = InvalidCall;
  if (kind === undefined && status === 401) kind = NotSignedIn; // a token that cannot be read has no slug
  if (kind === undefined && [502, 503, 504].includes(status)) kind = Unavailable; // a proxy says it
  if (kind === HoldClosed && facts["state"] === "expired") kind = HoldExpired;
  if (slug === "unavailable") facts["outcome"] ??= "nothing"; // the HTTP API says so when it does not know
  return new (kind ?? BankError)(message, { status, slug, facts, retryAfter });
}
