/** The bank of these tests, users with tokens, what the books say of them, and connections that fail. */
import { randomUUID } from "node:crypto";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Bank, type HttpOptions } from "pgcredits";

export { pause };
export const MODULE = "stablediffusion"; // 50 tokens a call
export const QUICK = { attempts: 4, first: 0.001, longest: 2 };
export const THREE = { calls: 3 }; // whisper costs 25 a call

const { PGCREDITS_URL: url = "", PGCREDITS_API_KEY: key = "", PGCREDITS_SERVICE_TOKEN: token = "" } = process.env;

export function bankWith(options: HttpOptions, apiKey = key): Bank {
  return new Bank(url, apiKey, { retries: QUICK, ...options });
}

/** It charges, and grants nothing. */
export const bank = bankWith({});
/** It may do everything. */
export const service = bankWith({}, token);

export async function newUser(tokens: number | string = 120): Promise<string> {
  const user = `typescript_${randomUUID()}`;
  await service.grant(user, tokens);
  return user;
}

export async function charges(user: string): Promise<(number | string)[]> {
  const rows = await service.read("entries", { user_id: `eq.${user}`, kind: "eq.spend", order: "seq" });
  return rows.map(({ tokens }) => -Number(tokens));
}

/** The state of each hold, in the order in which they were made. */
export async function holds(user: string): Promise<(string | null)[]> {
  return (await holdRows(user)).map(({ state }) => state);
}

export async function holdRows(user: string) {
  return await service.read("holds", { user_id: `eq.${user}`, order: "created_at" });
}

export async function balance(user: string) {
  const [row] = await service.read("balance", { user_id: `eq.${user}` });
  return row?.balance;
}

/** Waits until something is so, within a bound. */
export async function until(so: () => Promise<boolean> | boolean, seconds = 30): Promise<void> {
  for (const end = Date.now() + seconds * 1000; !(await so()); await pause(20)) {
    if (Date.now() > end) throw new Error(`it did not come to be so: ${so}`);
  }
}

/** Timers of the client run at once in this test. Returns how many milliseconds they were asked for. */
export function hurry(t: TestContext): number[] {
  const waits: number[] = [];
  const { setTimeout } = globalThis;
  const soon = (work: () => void, milliseconds = 0) => {
    const ours = new Error().stack?.includes("/dist/") === true; // Node's fetch has timers, too
    if (ours) waits.push(milliseconds);
    return setTimeout(work, ours ? 1 : milliseconds);
  };
  t.mock.method(globalThis, "setTimeout", soon as typeof setTimeout);
  return waits;
}

type Fault = (number: number) => Error | Response | undefined;

/** A connection that fails. `before` is asked for each request, `after` when the bank has answered it. */
export function failing({ before, after }: { before?: Fault; after?: Fault }) {
  const seen: { path: string; body: Record<string, unknown> }[] = [];
  const raised = (fault: Error | Response) => {
    if (fault instanceof Error) throw fault;
    return fault.clone();
  };
  const send: typeof fetch = async (input, init) => {
    seen.push({ path: new URL(String(input)).pathname, body: JSON.parse(String(init?.body)) });
    const early = before?.(seen.length);
    if (early !== undefined) return raised(early);
    const response = await fetch(input, init);
    const late = after?.(seen.length);
    if (late === undefined) return response;
    await response.text();
    return raised(late);
  };
  return { fetch: send, seen };
}

export const LOST = new TypeError("fetch failed", { cause: { code: "ECONNRESET" } });
export const UNSENT = new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });
export const first = (fault: Error | Response): Fault => (number) => (number === 1 ? fault : undefined);
