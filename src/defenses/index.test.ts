import { expect, test } from "vitest";
import type { Need } from "./defense.ts";
import { defenseNames, defenses, defensesNamed, family, usable } from "./index.ts";

const names = (asked: readonly string[]) => defensesNamed(asked).map(({ name }) => name);
const everything: Record<Need, boolean> = {
  ...{ "clean images": true, pairs: true, captions: true, "training set": true },
  ...{ "pairs or clean images": true, "a transformer": true, "a last linear map": true },
};

test("every name that there is passes, once; all are all; one that is none is refused with those there are", () => {
  expect(names(defenseNames)).toEqual(defenseNames);
  expect(names(["all"])).toEqual(defenseNames);
  expect(names(["fisher", "plain", "fisher"])).toEqual(["plain", "fisher"]); // in one order, whatever was asked
  expect(() => defensesNamed(["plain", "fishr"])).toThrow(
    'unknown method "fishr"; did you mean "fisher"? known: plain, erase, anchored, fisher, regressed, consensus, ',
  );
  expect(() => defensesNamed(["toString"])).toThrow('unknown method "toString"');
});

test("tbar is its family, which are no rivals; a rival may stand alone; nothing may not", () => {
  expect(names(["tbar"])).toEqual(["plain", "erase", "anchored", "fisher"]);
  expect(names(["relabel", "tbar"])).toEqual([...family, "relabel"]);
  expect(defensesNamed(["tbar"]).every(({ control }) => !control)).toBe(true);
  expect(names(["relabel"])).toEqual(["relabel"]);
  expect(() => defensesNamed([])).toThrow("no method is named");
});

test("what is not there is said, with what would do; all leaves out who needs it", () => {
  const check = (asked: readonly string[], lacking: Need) => () => usable(asked, { ...everything, [lacking]: false });
  expect(check(["plain", "relabel", "projection", "gradient-ascent"], "clean images")).not.toThrow();
  for (const name of ["anchored", "fisher", "consensus", "i-bau", "ibvs", "clean-finetune", "fine-pruning"])
    expect(check(["plain", name], "clean images")).toThrow(`the method ${name} needs clean images`);
  for (const name of ["relabel", "projection", "invertune"])
    expect(check(["plain", name], "pairs")).toThrow("bring the trigger instead");
  for (const name of ["regressed", "erase"]) {
    expect(check(["plain", name], "pairs")).not.toThrow();
    expect(check(["plain", name], "pairs or clean images")).toThrow("clean images (--clean), or the trigger instead");
  }
  expect(check(["abl"], "training set")).toThrow("--training-data");
  for (const name of ["clip-finetune", "cleanclip", "roclip", "par"])
    expect(check([name], "captions")).toThrow(`the method ${name} needs images with captions: --data with a column`);
  for (const name of ["regressed", "erase"]) expect(check([name], "a transformer")).toThrow("this one is a ResNet");
  expect(check(["fine-pruning"], "a transformer")).toThrow("clean-finetune does with any");
  expect(check(["projection"], "a last linear map")).toThrow("ends with a linear map");
  const { defenses, leftOut } = check(["all"], "training set")();
  expect(defenses.map(({ name }) => name)).toEqual(defenseNames.filter((name) => name !== "abl"));
  expect(leftOut).toEqual([expect.stringMatching(/^the method abl needs .* it is left out$/)]);
  expect(usable(["all"], everything)).toEqual({ defenses: defensesNamed(["all"]), leftOut: [], spare: [] });
});

test("of tbar anchored and fisher run only where erase does not suffice, unless they are named; what erase lacks is said", () => {
  const found = (asked: readonly string[], ...lacking: Need[]) => {
    const { defenses, leftOut, spare } = usable(asked, { ...everything, ...Object.fromEntries(lacking.map((need) => [need, false])) }); // biome-ignore format: one line
    return { names: defenses.map(({ name }) => name), leftOut, spare };
  };
  expect(found(["tbar"])).toEqual({ names: family, leftOut: [], spare: ["anchored", "fisher"] });
  expect(found(["tbar", "fisher"])).toEqual({ names: family, leftOut: [], spare: ["anchored"] });
  expect(found([...family]).spare).toEqual([]);
  expect(found(["tbar", "all"]).spare).toEqual([]);
  expect(found(["tbar"], "a transformer")).toEqual({
    ...{ names: ["plain", "anchored", "fisher"], spare: [] },
    leftOut: [expect.stringMatching(/^the method erase needs an image tower that is a transformer.* it is left out$/)],
  });
  expect(found(["tbar"], "pairs")).toEqual({ names: family, leftOut: [], spare: ["anchored", "fisher"] });
  expect(found(["tbar"], "pairs", "clean images", "pairs or clean images")).toEqual({ names: ["plain"], spare: [], leftOut: [expect.anything(), expect.anything(), expect.anything()] }); // biome-ignore format: one line
  expect(() => found(["tbar", "erase"], "pairs or clean images")).toThrow("or the trigger instead");
});

test("costs: on triggers that only stand for the attack's own one search does", () => {
  const sizes = { forget: 100, clean: 80, anchored: 125, epochs: 2, onStandIns: true };
  for (const one of defensesNamed(["erase", "regressed"])) expect(one.cost(sizes, []).searches).toBeUndefined();
});

test("costs: what each trains on, searches and holds", () => {
  const sizes = { forget: 100, clean: 80, anchored: 125, training: 4000, epochs: 2 };
  const costs = Object.fromEntries(defenses.map((one) => [one.name, one.cost(sizes, ["plain"])]));
  expect(costs).toMatchObject({
    plain: { trained: 200 },
    anchored: { trained: 250 },
    fisher: { trained: 530, encoded: 100, searches: 4, copies: 4 },
    regressed: { trained: 0, encoded: 380, searches: 2, copies: 3 }, // plain's vector
    erase: { trained: 0, encoded: 380, searches: 2, copies: 3 },
    consensus: { trained: 750 },
    relabel: { trained: 400, encoded: 100 },
    projection: { trained: 0, encoded: 300 },
    "i-bau": { trained: 1440 },
    ibvs: { trained: 480 },
    "random-direction": { trained: 0 },
    "gradient-ascent": { trained: 6 * 200, measured: 6 },
    "clean-finetune": { trained: 4 * 160, measured: 4 },
    "fine-pruning": { trained: 5 * 160, encoded: 80, measured: 5 },
    invertune: { trained: 2 * 4 * 200, encoded: 1000, measured: 4 },
    "clip-finetune": { trained: 4 * 160, measured: 4 },
    cleanclip: { trained: 2 * 4 * 160, measured: 4 },
    roclip: { trained: 4 * 160, encoded: 2 * 160, measured: 4 },
    par: { trained: 4 * 160, encoded: 4 * 160, measured: 4 },
    abl: { trained: 6 * 40 * 2, encoded: 4000, measured: 6 }, // 1 % of 4000
  });
  const fisherBeside = (...beside: string[]) =>
    defenses.find(({ name }) => name === "fisher")?.cost(sizes, beside).trained;
  expect(fisherBeside("plain", "anchored")).toBe(280); // gradients alone
  expect(fisherBeside()).toBe(280 + 200 + 250); // its own fine-tunings too
});
