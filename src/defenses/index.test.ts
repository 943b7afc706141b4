import { expect, test } from "vitest";
import { checkNeeds, defenseNames, defenses, defensesNamed } from "./index.ts";

const names = (asked: readonly string[]) => defensesNamed(asked).map(({ name }) => name);

test("every name that there is passes, once; all are all; one that is none is refused with those there are", () => {
  expect(names(defenseNames)).toEqual(defenseNames);
  expect(names(["all"])).toEqual(defenseNames);
  expect(names(["fisher", "plain", "fisher"])).toEqual(["plain", "fisher"]); // in one order, whatever was asked
  expect(() => defensesNamed(["plain", "fishr"])).toThrow(
    'unknown method "fishr"; did you mean "fisher"? known: plain, anchored, fisher, consensus, relabel, projection, i-bau, ibvs',
  );
  expect(() => defensesNamed(["toString"])).toThrow('unknown method "toString"');
});

test("controls alone, or nothing, are refused", () => {
  expect(() => defensesNamed(["relabel"])).toThrow("relabel: a control is never chosen; name one of plain, anchored");
  expect(() => defensesNamed([])).toThrow("no method is named");
});

test("clean images are needed by all but plain, relabel and projection, pairs by these two", () => {
  const check = (asked: readonly string[], clean: boolean, pairs: boolean) => () =>
    checkNeeds(defensesNamed(asked), { "clean images": clean, pairs });
  expect(check(["plain", "relabel", "projection"], false, true)).not.toThrow();
  expect(check(["plain", "projection"], true, false)).toThrow("bring the trigger instead");
  for (const name of ["anchored", "fisher", "consensus", "i-bau", "ibvs"])
    expect(check(["plain", name], false, true)).toThrow(`the method ${name} needs clean images`);
  expect(check(["plain", "relabel"], true, false)).toThrow("bring the trigger instead");
  expect(check(defenseNames, true, true)).not.toThrow();
});

test("costs: what each trains on, searches and holds", () => {
  const sizes = { forget: 100, clean: 80, anchored: 125, epochs: 2 };
  const costs = Object.fromEntries(defenses.map((one) => [one.name, one.cost(sizes, ["plain"])]));
  expect(costs).toEqual({
    plain: { trained: 200 },
    anchored: { trained: 250 },
    fisher: { trained: 530, encoded: 100, searches: 4, copies: 4 },
    consensus: { trained: 750 },
    relabel: { trained: 400, encoded: 100 },
    projection: { trained: 0, encoded: 300 },
    "i-bau": { trained: 1440 },
    ibvs: { trained: 480 },
  });
  const fisherBeside = (...beside: string[]) =>
    defenses.find(({ name }) => name === "fisher")?.cost(sizes, beside).trained;
  expect(fisherBeside("plain", "anchored")).toBe(280); // gradients alone
  expect(fisherBeside()).toBe(280 + 200 + 250); // its own fine-tunings too
});
