/**
 * Numbers without loss. The bank's amounts have up to 20 digits, and a double holds 15 of any decimal number.
 */

/** A number of an answer. It is a string of all its digits where a double would lose some of them. */
export type Numeric = number | string;

/** A number of a call: 0.5, 20n or "12.345678". A string is sent with all its digits. */
export type Quantity = number | bigint | string;

/** How much of each dimension of the price is used, as {"calls": 3}. */
export type Usage = Readonly<Record<string, Quantity>>;

const DECIMAL = /^(-?\d+)(?:\.(\d+))?(?:e([+-]?\d{1,3}))?$/i;
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const ALWAYS_EXACT = 15; // digits

/** A number that goes into JSON as it is written. */
class Written {
  constructor(readonly text: string) {}
}

/** JSON to a value. Raises SyntaxError. */
export function decode(text: string): unknown {
  const quoted = (found: string) => (found.startsWith('"') || survives(found) ? found : `"${found}"`);
  return JSON.parse(text.replace(STRING_OR_NUMBER, quoted));
}

/** A value to JSON. Members that are undefined are left out. Raises TypeError for NaN and infinity. */
export function encode(value: unknown): string {
  if (value instanceof Written) return value.text;
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`${value} is not a quantity`);
  if (Array.isArray(value)) return `[${value.map(encode).join()}]`;
  if (typeof value !== "object" || value === null || "toJSON" in value) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${encode(member)}`).join()}}`;
}

/** Usage as `encode` sends it: strings become numbers. Raises TypeError for a string that is not a decimal number. */
export function numbers(usage: Usage | undefined): Record<string, unknown> | undefined {
  if (usage === undefined) return undefined;
  const sent = (quantity: Quantity) => (typeof quantity === "string" ? new Written(plain(quantity)) : quantity);
  return Object.fromEntries(Object.entries(usage).map(([dimension, quantity]) => [dimension, sent(quantity)]));
}

/** The sum of two usages. 0.1 and 0.2 are 0.3. Raises TypeError for what is not a decimal number. */
export function sum(one: Usage, other: Usage): Usage {
  const total: Record<string, Quantity> = { ...one };
  for (const [dimension, quantity] of Object.entries(other)) {
    const before = total[dimension];
    total[dimension] = before === undefined ? plain(quantity) : add(plain(before), plain(quantity));
  }
  return total;
}

function add(one: string, other: string): string {
  const scale = Math.max(decimals(one), decimals(other));
  const scaled = (text: string) => BigInt(text.replace(".", "") + "0".repeat(scale - decimals(text)));
  return point(scaled(one) + scaled(other), scale);
}

function decimals(text: string): number {
  return text.includes(".") ? text.length - text.indexOf(".") - 1 : 0;
}

/** The number without an exponent. */
function plain(quantity: Quantity): string {
  const found = DECIMAL.exec(String(quantity).trim());
  if (found === null) throw new TypeError(`${String(quantity).slice(0, 40)} is not a quantity`);
  const [, whole = "", fraction = "", exponent = "0"] = found;
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(whole + fraction);
  return scale <= 0 ? String(digits * 10n ** BigInt(-scale)) : point(digits, scale);
}

/** The digits with a decimal point before the last `scale` of them. */
function point(digits: bigint, scale: number): string {
  if (scale === 0) return String(digits);
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, "0");
  return `${digits < 0n ? "-" : ""}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

/** Whether a double keeps all digits of a number in JSON. */
function survives(number: string): boolean {
  if (number.length <= ALWAYS_EXACT) return true;
  const shortest = number.includes(".") ? number.replace(/\.?0+$/, "") : number;
  return String(Number(number)) === shortest;
}
