/** What the one reader of foreign JSON takes, refuses and costs. */
import { describe, expect, test } from "vitest";
import { parseJson } from "./json.ts";

describe("takes what JSON.parse takes, as it takes it", () => {
  test.each([
    '{"a":[1,-2.5e3,"\\u0061\\"[{,",null,true,{}]}',
    "7",
    '""',
    "[]",
    ' {"a" : {"a":1} , "b":[{"a":2},{"a":3}]} ',
  ])("%s", (text) => {
    const value = JSON.parse(text);
    expect(parseJson(text, "x")).toEqual(value);
    expect(parseJson(Buffer.from(text), "x")).toEqual(value);
  });
  test("a byte order mark before it", () => {
    expect(parseJson(Buffer.from("\ufeff[1]"), "x")).toEqual([1]);
  });
});

describe("refuses, by name", () => {
  test.each([
    ["a key twice", '{"a":1,"b":{"a":2},"a":3}', /x has the key "a" twice/],
    ["a key twice, once escaped", '{"a":1,"\\u0061":3}', /x has the key "a" twice/],
    ["a key twice behind a list", '{"a":[1,{"b":1},2],"b":0,"b":1}', /x has the key "b" twice/],
    ["__proto__", '[{"__proto__":{"polluted":1}}]', /x has the key "__proto__"/],
    ["__proto__, escaped", '{"\\u005f_proto__":1}', /x has the key "__proto__"/],
    ["65 brackets", "[".repeat(65), /x is nested more than 64 deep/],
    ["200,001 values", `[${"1,".repeat(200_000)}1]`, /x holds more than 200000 values/],
    ["200,001 empty lists", "[],".repeat(200_000), /x holds more than 200000 values/],
    [
      "100,001 keys",
      `{${Array.from({ length: 100_001 }, (_, i) => `"${i}":0`).join()}}`,
      /x has more than 100000 keys/,
    ],
    ["2 MiB and a byte", `"${"a".repeat(2 ** 21)}"`, /at most 2097152 are read/],
    ["a string without an end", '{"a', /x is not JSON/],
    ["escapes for a terminal", '{"\u001b[2J', /^x is not JSON: [ -~]*$/],
    ["nothing", "", /x is not JSON/],
    ["two values", "1 2", /x is not JSON/],
    ["NaN", "[NaN]", /x is not JSON/],
  ])("%s", (_, text, message) => {
    expect(() => parseJson(text, "x")).toThrow(message);
  });
  test.each([
    ["Latin-1", Buffer.from('"\xe9"', "latin1")],
    ["UTF-16", Buffer.from('"a"', "utf16le")],
    ["half a surrogate pair", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ])("%s", (_, bytes) => {
    expect(() => parseJson(bytes, "x")).toThrow(/x is not JSON/);
  });
});

test.each([
  ["brackets", "[".repeat(40_000_000)],
  ["empty lists", `[${"[],".repeat(13_000_000)}[]]`],
  ["keys", `{${Array.from({ length: 2_500_000 }, (_, i) => `"${i}":0`).join()}}`],
  ["backslashes", `"${"\\".repeat(40_000_000)}`],
  ["quotes", '"'.repeat(40_000_000)],
])("40 MB of %s cost less than 5 s of processor time", (_, text) => {
  const before = process.cpuUsage();
  expect(() => parseJson(text, "x", { bytes: 2 ** 26 })).toThrow();
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(5);
});
