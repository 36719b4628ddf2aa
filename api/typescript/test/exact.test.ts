import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode, numbers, sum } from "../dist/exact.js";
import { bank, balance, newUser, service } from "./bank.js";

test("numbers that a double holds stay numbers", () => {
  assert.deepEqual(decode('{"a": 0.1, "b": [-12, 1e3], "c": 9007199254740992, "d": 123456789.123450}'), {
    a: 0.1,
    b: [-12, 1000],
    c: 9007199254740992,
    d: 123456789.12345,
  });
});

test("numbers that a double would round become strings of all their digits", () => {
  const text = '[9007199254740993, 99999999999999.999999, -123456789012.123457, 0.1234567890123456789]';
  assert.deepEqual(decode(text), [
    "9007199254740993",
    "99999999999999.999999",
    "-123456789012.123457",
    "0.1234567890123456789",
  ]);
});

test("numbers within strings are left alone", () => {
  const value = { 'say "9007199254740993"': "9007199254740993 \\" };
  assert.deepEqual(decode(JSON.stringify(value)), value);
});

test("text that is not JSON is refused", () => {
  for (const text of ["", "<html>", "{", "12345678901234567890x"]) assert.throws(() => decode(text), SyntaxError);
});

test("values are sent with all their digits", () => {
  const usage = numbers({ a: "99999999999999.999999", b: 2n ** 60n, c: 0.5, d: " 1.50 ", e: "1e-7" });
  const sent = '{"a":99999999999999.999999,"b":1152921504606846976,"c":0.5,"d":1.50,"e":0.0000001}';
  assert.equal(encode(usage), sent);
  assert.equal(encode({ a: undefined, b: [undefined, null], c: new Date(0) }), '{"b":[null,null],"c":"1970-01-01T00:00:00.000Z"}');
});

test("what is not a number is not sent", () => {
  for (const odd of ["", "abc", "1,5", "0x10", "NaN", "Infinity"]) assert.throws(() => numbers({ calls: odd }), TypeError);
  for (const odd of [NaN, Infinity]) assert.throws(() => encode({ calls: odd }), TypeError);
  assert.throws(() => sum({}, { calls: NaN }), TypeError);
});

test("sums are exact", () => {
  assert.deepEqual(sum({ a: 0.1, b: 1 }, { a: 0.2, c: "1e20" }), { a: "0.3", b: 1, c: "100000000000000000000" });
  assert.deepEqual(sum({ a: "-0.5" }, { a: 0.25 }), { a: "-0.25" });
});

test("the bank keeps amounts that no double holds", async () => {
  const tokens = "987654321012.123457";
  const user = await newUser(tokens);
  assert.equal(await balance(user), tokens);
  assert.equal((await bank.quote("whisper", user)).balance, tokens);
  const { entry_id, cost } = await bank.spend("whisper", user);
  assert.equal((await service.refundUsage(entry_id, { tokens: "0.000001" })).balance, "987654320987.123458");
  assert.equal(cost, 25);
});
