/** What is chosen of several repairs, and when no further one is looked for. */
import { expect, test } from "vitest";
import { rate } from "../../stats/rate.ts";
import { choose, suffices, type Tried } from "./defend.ts";

const before = 290;
const tried = (name: string, { ca = 290, asr = 0, satisfied = true, doubts = undefined as string[] | undefined, isMended = undefined as boolean | undefined, isRisky = false }): Tried =>
  ({
    defense: { name },
    repair: { search: { satisfied, retained: ca / before, best: { alpha: 1, ca: rate(ca, 300), asr: rate(asr, 300) }, trials: [], ...(isRisky && { isRisky }), ...(doubts && { doubts }) } },
    ...(isMended !== undefined && { isMended }),
  }) as object as Tried; // biome-ignore format: one line
const name = (...all: Tried[]) => choose(all)?.defense.name;

test("first those that let triggered images be read right again, whatever the others keep; then CA, then ASR", () => {
  const mending = tried("mending", { ca: 285, isMended: true });
  expect(name(tried("keeping", { isMended: false }), mending)).toBe("mending");
  expect(name(tried("keeping", {}), mending)).toBe("mending");
  expect(name(mending, tried("better", { ca: 286, isMended: true }))).toBe("better");
  expect(name(tried("failing", { isMended: true, satisfied: false }), tried("sound", { isMended: false }))).toBe(
    "sound",
  );
  expect(name(tried("a", { isMended: false }), tried("b", { ca: 291, isMended: false }))).toBe("b");
  expect(name(tried("a", { satisfied: false }))).toBeUndefined();
});

test("on triggers that only stand for another it says nothing", () => {
  const [mending, keeping] = [tried("mending", { ca: 285, isMended: true }), tried("keeping", { isMended: false })];
  expect(choose([mending, keeping], { mending: false })?.defense.name).toBe("keeping");
});

test("enough is: the rule holds without a doubt, 97 % of CA, and triggered images read right where that is known", () => {
  expect(suffices(tried("a", { isMended: true }))).toBe(true);
  expect(suffices(tried("without labels", {}))).toBe(true);
  expect(suffices(tried("a", { isMended: false }))).toBe(false);
  expect(suffices(tried("a", { satisfied: false }))).toBe(false);
  expect(suffices(tried("a", { doubts: ["few images"] }))).toBe(false);
  expect(suffices(tried("a", { isRisky: true }))).toBe(false);
  expect([282, 281].map((ca) => suffices(tried("a", { ca })))).toEqual([true, false]); // 97.2 and 96.9 %
});
