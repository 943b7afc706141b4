/** Parameters one behind the other: which go together, and that nothing is lost on the way there and back. */
import { expect, test } from "vitest";
import { tensor, type Weights } from "../tensor/tensor.ts";
import { groupsOf, joinedValues, partedValues } from "./parameter-groups.ts";

const shapes: [string, number[]][] = [
  ["matrix", [768, 3072]],
  ["bias", [768]],
  ["scale", []],
  ["patch", [768, 3, 32, 32]],
  ["positions", [50, 768]],
];

test("those of one kind go together, in rows that all of them are whole multiples of", () => {
  // all share 1,536 values, of which 512 divide the widest row, too
  const groups = groupsOf(shapes, (_, shape) => (shape.length > 1 ? "decays" : ""));
  const found = groups.map(({ kind, members, shape }) => [kind, members.map(({ name, at, rows }) => [name, at, rows]), shape]); // biome-ignore format: one line
  expect(found).toEqual([
    ["decays", [["matrix", 0, 4608], ["patch", 4608, 4608], ["positions", 9216, 75]], [9291, 512]],
    ["", [["bias", 0, 768], ["scale", 768, 1]], [769, 1]],
  ]); // biome-ignore format: a line each
});

test("a group ends at 64 MiB, and where its rows would be too many; a larger tensor is alone", () => {
  const large = 4096 * 4096;
  const of = (...sizes: number[]) => groupsOf(sizes.map((size, i) => [`${i}`, [size]]), () => "").map(({ members, shape }) => [members.length, ...shape]); // biome-ignore format: one line
  expect(of(large / 2, large / 2, 1024)).toEqual([
    [2, large / 1024, 1024],
    [1, 1, 1024],
  ]);
  expect(of(2 * large, 1024)).toEqual([
    [1, (2 * large) / 1024, 1024],
    [1, 1, 1024],
  ]);
  // a single value would make rows of one of all that stand before it
  expect(of(1024 * 768, 1)).toEqual([
    [1, 768, 1024],
    [1, 1, 1],
  ]);
});

test("values come back as they went in, as views of one array", () => {
  const weights: Weights = new Map(
    [["a", [2, 6]], ["b", []], ["c", [4]]].map(([name, shape], k) => {
      const value = tensor(shape as number[]);
      value.data.forEach((_, i) => {
        value.data[i] = 100 * k + i;
      });
      return [name as string, value];
    }),
  ); // biome-ignore format: values
  const [group, ...none] = groupsOf([...weights].map(([name, { shape }]) => [name, shape]), () => ""); // biome-ignore format: one line
  expect(none).toEqual([]);
  const joined = joinedValues(group, weights);
  expect(joined.shape).toEqual([17, 1]);
  const back = new Map(partedValues(group, joined));
  for (const [name, { shape, data }] of weights) expect(back.get(name)).toEqual({ shape, data });
  expect(new Set([...back.values()].map(({ data }) => data.buffer))).toEqual(new Set([joined.data.buffer]));
});
