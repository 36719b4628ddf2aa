/** What the bank answers to the calls of this client. Every member is there, where `Sure` does not name it. */
import type { Database } from "./database.js";
import type { Numeric } from "./exact.js";

type Answers = Database["api"]["CompositeTypes"];

/** An answer whose members are not null, but for those that are named. */
type Sure<T, OrNull extends keyof T = never> = {
  readonly [K in keyof T]: K extends "draws" ? readonly Draw[] : K extends OrNull ? T[K] : NonNullable<T[K]>;
};

/** So many tokens came from this lot. */
export interface Draw {
  readonly lot_id: Numeric;
  readonly tokens: Numeric;
}

/** A charge. `replayed`: the key had done it before. `refunded`: what of it was given back since. */
export type Spend = Sure<Answers["spend_receipt"]>;

/** What a use would cost now. `affordable` is a quantity, and null when any quantity is free. */
export type Quote = Sure<Answers["quote"], "affordable" | "price_id">;

/** Tokens that were granted, as a lot. */
export type Grant = Sure<Answers["grant_receipt"]>;

/** A refund of usage. `expired`: what of it expired at once, because its lot is past its date. */
export type Refund = Sure<Answers["refund_receipt"]>;

/** An account, and whether this call has opened it. */
export type Account = Sure<Answers["account_receipt"], "welcome_waits_for" | "reset_at">;

/** A hold as it is now: state is open, captured, released or expired. */
export type Held = Sure<Answers["hold_receipt"]>;

/** A charge of a hold. What no lot could pay is in `debt` and `shortfall`. `late`: it had expired. */
export type Capture = Sure<Answers["capture_receipt"]>;

/** The end of a hold. `captured` is what its parts had charged before. */
export type Release = Sure<Answers["release_receipt"]>;
