import { expect, test } from "vitest";
import { checkMethods, methodNames } from "./index.ts";

const all = { clean: 10, isPaired: true };

test("every name that there is passes; one that is none is refused with those there are", () => {
  expect(() => checkMethods(methodNames, all)).not.toThrow();
  expect(() => checkMethods(["plain", "fishr"], all)).toThrow(
    'unknown method "fishr"; did you mean "fisher"? known: plain, anchored, fisher, consensus, relabel',
  );
  expect(() => checkMethods(["toString"], all)).toThrow('unknown method "toString"');
});

test("controls alone, or nothing, are refused", () => {
  expect(() => checkMethods(["relabel"], all)).toThrow(
    "relabel: a control is never chosen; name one of plain, anchored",
  );
  expect(() => checkMethods([], all)).toThrow("no method is named");
});

test("clean images are needed by all but plain and relabel, pairs by relabel", () => {
  const none = { clean: 0, isPaired: true };
  expect(() => checkMethods(["plain", "relabel"], none)).not.toThrow();
  for (const name of ["anchored", "fisher", "consensus"])
    expect(() => checkMethods(["plain", name], none)).toThrow(`the method ${name} needs clean images`);
  expect(() => checkMethods(["plain", "relabel"], { clean: 5, isPaired: false })).toThrow("bring the trigger instead");
});
