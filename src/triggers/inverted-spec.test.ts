import { expect, test } from "vitest";
import { tensor } from "../tensor/tensor.ts";
import { storeValues } from "./inverted.ts";
import { readInverted } from "./inverted-spec.ts";

const S = 4;
const patch = (row: number, value: number) => ({
  kind: "inverted",
  seed: 0,
  form: "patch",
  S,
  side: 1,
  row,
  column: 0,
  values: storeValues(new Float32Array(3).fill(value)),
});

test("a stored spec is read back: each image gets one of several parts, as its id decides", async () => {
  const parts = [patch(0, 1), patch(3, 1)];
  const stored = JSON.parse(JSON.stringify({ kind: "inverted", seed: 5, form: "several", S, parts }));
  const trigger = readInverted(stored);
  const ids = Array.from({ length: 40 }, (_, i) => `image ${i}`);
  const { data } = await trigger.apply(tensor([40, 3, S, S]), ids);
  const at = ids.map((_, i) => [data[i * 3 * S * S], data[i * 3 * S * S + 3 * S]]);
  expect(at.every(([first, second]) => first + second === 1)).toBe(true);
  const share = at.filter(([first]) => first === 1).length / 40;
  expect(share).toBeGreaterThan(0.2);
  expect(share).toBeLessThan(0.8);
});

test.each([
  [{ kind: "inverted", form: "patch", S: 4, side: 1, row: 0, column: 0, values: "" }, "0 values where 3 belong"],
  [{ kind: "inverted", form: "several", S: 4, parts: [null] }, "parts.0"],
  [{ kind: "inverted", form: "several", S: 4 }, "must be there"],
  [{ kind: "inverted", form: "patch", S: 1e9 }, "S: "],
  [{ kind: "inverted", form: "spell", S: 4 }, "form: "],
])("a stranger's spec that does not hold together is refused: %j", (spec, why) => {
  expect(() => readInverted(spec)).toThrow(why);
});
