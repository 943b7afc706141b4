/** Specs: what is left out is filled in, what does not fit is refused by name with what would work. */
import { expect, test } from "vitest";
import { z } from "zod";
import { triggerSpec } from "../attacks/index.ts";
import { count, dataFields, flags, modelFields, option, runFields } from "./fields.ts";
import { fieldsOf, inWords, parseSpec } from "./spec.ts";

const spec = z.strictObject({
  ...modelFields,
  ...dataFields,
  trigger: option(z.union([z.string(), triggerSpec]).optional(), "a trigger"),
  sizes: z.strictObject({ forget: option(count().default(1024), "images to forget") }).prefault({}),
  ...runFields,
});
const toy = { name: "toy", spec };
const needed = { model: "clip", data: "photos" };

test("what is left out is filled in, in groups too", () => {
  expect(parseSpec(toy, needed)).toEqual({
    ...needed,
    skipBad: false,
    seed: 1,
    device: "cpu",
    sizes: { forget: 1024 },
  });
  expect(parseSpec(toy, { ...needed, trigger: { kind: "badnet", size: 5 } }).trigger).toMatchObject({
    size: 5,
    redraw: true,
  });
});

test.each([
  [{ data: "photos" }, "toy: model is missing: which checkpoint?"],
  [{ ...needed, modle: "x" }, 'unknown option of toy "modle"; did you mean "model"?'],
  [undefined, "toy: the spec is missing"],
  [null, "toy: the spec is null; it must be a group of options"],
  [{ ...needed, seed: Number.NaN }, "toy: seed is NaN; it must be a whole number, 0 or more"],
  [{ ...needed, seed: Number.POSITIVE_INFINITY }, "toy: seed is Infinity; it must be"],
  [{ ...needed, seed: "x" }, 'toy: seed is "x"; it must be a whole number, 0 or more'],
  [{ ...needed, threads: 513 }, "toy: threads is 513; it must be a whole number, 1 or more and at most 512"],
  [{ ...needed, sizes: { forget: 0.5 } }, "toy: sizes.forget is 0.5; it must be a whole number, 1 or more"],
  [{ ...needed, sizes: { forgt: 1 } }, 'unknown option of toy\'s sizes "forgt"; did you mean "forget"?'],
  [{ ...needed, device: "gpu" }, 'unknown device of toy "gpu"; did you mean "cpu"?'],
  [{ ...needed, ignoreTensors: "x" }, 'toy: ignoreTensors is "x"; it must be a list'],
  [{ ...needed, trigger: { kind: "badnets" } }, 'unknown kind of toy\'s trigger "badnets"; did you mean "badnet"?'],
  [
    { ...needed, trigger: { kind: "badnet", sise: 3 } },
    'unknown option of toy\'s trigger "sise"; did you mean "size"?',
  ],
  [{ ...needed, trigger: 3 }, "toy: trigger is 3; it must be a text"],
])("%j is refused", (asked, message) => {
  expect(() => parseSpec(toy, asked)).toThrow(message);
});

test("fields are those of groups too, in their order, each with its flag and help", () => {
  const fields = fieldsOf(spec);
  expect(fields.map(({ path }) => path.join("."))).toEqual([
    ...Object.keys(spec.shape).slice(0, -5), "trigger", "sizes.forget", "seed", "threads", "device",
  ]); // biome-ignore format: a list
  const forget = fields.find(({ path }) => path.join(".") === "sizes.forget");
  expect(forget).toMatchObject({ help: "images to forget", json: { type: "integer", minimum: 1, default: 1024 } });
  expect(flags.get(modelFields.model)).toMatchObject({ value: "path", group: "Model and data:" });
});

test("ranges in words", () => {
  const words = (schema: z.ZodType) => inWords(z.toJSONSchema(schema) as never);
  expect(words(z.number())).toBe("a number");
  expect(words(z.int())).toBe("a whole number");
  expect(words(z.number().gt(0).max(1))).toBe("a number, above 0 and at most 1");
});
