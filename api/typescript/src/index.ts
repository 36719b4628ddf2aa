/** Charge the users of an application: docs/typescript.md. */
export { Bank } from "./bank.js";
export type { CaptureOptions, GrantOptions, HoldOptions, Metadata, Over, SpendOptions } from "./bank.js";
export type { Database, Json } from "./database.js";
export * from "./errors.js";
export type { Numeric, Quantity, Usage } from "./exact.js";
export { Hold } from "./hold.js";
export type { HttpOptions, Retries } from "./http.js";
export type * from "./receipts.js";
