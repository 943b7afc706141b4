import { describe, expect, it } from "vitest";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { badInput } from "../tensor/error.ts";
import { batches } from "./batches.ts";
import type { Dataset } from "./dataset.ts";
import { concat, splitDataset, subset, take, validationSplit } from "./split.ts";

/** n images whose every value is their number / 100. */
function counted(n: number, name = "counted"): Dataset {
  return {
    name,
    size: n,
    classNames: ["even", "odd"],
    example: (i) => ({ id: `image-${i}`, label: i % 2, caption: `number ${i}` }),
    async read(indices, { cropSize: S }) {
      const data = Float32Array.from(indices.flatMap((i) => new Array(3 * S * S).fill(i / 100)));
      return { shape: [indices.length, 3, S, S], data };
    },
  };
}

const ids = (d: Dataset) => Array.from({ length: d.size }, (_, i) => d.example(i).id);

describe("split", () => {
  it("parts are disjoint, of the sizes asked, and cover the set when one is the rest", () => {
    const { forget, validation, train } = splitDataset(counted(50), { forget: 7, validation: 0.2, train: "rest" }, 3);
    expect([forget.size, validation.size, train.size]).toEqual([7, 10, 33]);
    const all = [forget, validation, train].flatMap(ids);
    expect(new Set(all).size).toBe(50);
    expect(all).not.toEqual(ids(counted(50)));
  });

  it("the same seed gives the same parts, another seed others, and one more part changes none before it", () => {
    const forget = (seed: number, more = {}) => ids(splitDataset(counted(50), { forget: 10, ...more }, seed).forget);
    expect(forget(1)).toEqual(forget(1));
    expect(forget(1, { test: 20 })).toEqual(forget(1));
    expect(forget(2)).not.toEqual(forget(1));
  });

  it("validation: a tenth of the training set, at most 5,000 (SUN397 1,985, CIFAR-100 5,000)", () => {
    const sizes = [19_850, 50_000, 1_281_167, 9].map((n) => {
      const { train, validation } = validationSplit(counted(n));
      return [validation.size, train.size];
    });
    expect(sizes).toEqual([
      [1985, 17_865],
      [5000, 45_000],
      [5000, 1_276_167],
      [0, 9],
    ]);
    const { train, validation } = validationSplit(counted(50), 3);
    expect(new Set([...ids(train), ...ids(validation)]).size).toBe(50);
    expect(ids(validationSplit(counted(50), 4).validation)).not.toEqual(ids(validation));
  });

  it("too few examples are refused with the numbers", () => {
    expect(() => splitDataset(counted(10), { forget: 6, test: 0.5 }, 0)).toThrow(
      "has 10 examples; the split asks for 11 (forget 6, test 5)",
    );
    expect(() => splitDataset(counted(10), { forget: 1.5 }, 0)).toThrow("found 1.5");
  });

  it("subset and take read the images they name; an index outside is refused", async () => {
    const part = subset(counted(10), [9, 2]);
    expect(ids(part)).toEqual(["image-9", "image-2"]);
    expect([...(await part.read([1, 0], clipPreprocess(1))).data].map((v) => Math.round(v * 100))).toEqual([
      2, 2, 2, 9, 9, 9,
    ]);
    expect(ids(take(counted(3), 5))).toEqual(["image-0", "image-1", "image-2"]);
    expect(() => subset(counted(3), [3])).toThrow("no example 3 in counted");
  });

  it("concat keeps ids unique and reads across its parts in the order asked", async () => {
    const joined = concat([take(counted(10), 2), subset(counted(10), [1, 5])]);
    expect(ids(joined)).toEqual(["image-0", "image-1", "image-1#2", "image-5"]);
    const { shape, data } = await joined.read([3, 0, 2, 1], clipPreprocess(2));
    expect(shape).toEqual([4, 3, 2, 2]);
    expect([0, 12, 24, 36].map((i) => Math.round(data[i] * 100))).toEqual([5, 0, 1, 1]);
    expect(ids(concat([joined, take(counted(10), 2)]))).toEqual([...ids(joined), "image-0#2", "image-1#3"]);
    expect(() => concat([counted(1), { ...counted(1), classNames: ["a"] }])).toThrow("other class names");
  });
});

describe("batches", () => {
  const collect = async (d: Dataset, options: Parameters<typeof batches>[1]) => {
    const out = [];
    for await (const batch of batches(d, options)) out.push(batch);
    return out;
  };

  it("come in order with a last one as short as it must be", async () => {
    const got = await collect(counted(5), { batch: 2, preprocess: clipPreprocess(1) });
    expect(got.map((b) => b.count)).toEqual([2, 2, 1]);
    expect(got.map((b) => b.pixels.shape)).toEqual([
      [2, 3, 1, 1],
      [2, 3, 1, 1],
      [1, 3, 1, 1],
    ]);
    expect(got.flatMap((b) => b.ids)).toEqual(ids(counted(5)));
    expect(got.flatMap((b) => [...b.labels!])).toEqual([0, 1, 0, 1, 0]);
    expect(got[2].captions).toEqual(["number 4"]);
    expect(got[2].pixels.data[0]).toBeCloseTo(0.04);
  });

  it("a seed draws another order for each epoch, the same again next time", async () => {
    const options = { batch: 8, preprocess: clipPreprocess(1), seed: 4, epochs: 2 };
    const [first, second] = await collect(counted(8), options);
    expect([...first.ids].sort()).toEqual(ids(counted(8)));
    expect(first.ids).not.toEqual(second.ids);
    expect((await collect(counted(8), options)).map((b) => b.ids)).toEqual([first.ids, second.ids]);
  });

  it("an order limits the epoch to its indices", async () => {
    const got = await collect(counted(9), { batch: 4, preprocess: clipPreprocess(1), order: [8, 1, 1] });
    expect(got.map((b) => b.ids)).toEqual([["image-8", "image-1", "image-1"]]);
  });

  it("no labels unless every example has one; an empty set gives no batch", async () => {
    const partly: Dataset = { ...counted(2), example: (i) => (i ? { id: "b" } : { id: "a", label: 0 }) };
    expect((await collect(partly, { batch: 2, preprocess: clipPreprocess(1) }))[0].labels).toBeUndefined();
    expect(
      await collect(counted(0), { batch: 2, preprocess: clipPreprocess(1), epochs: Number.POSITIVE_INFINITY }),
    ).toEqual([]);
  });

  it("two batches are read ahead, and a failed read is thrown in its turn", async () => {
    const asked: number[][] = [];
    const source: Dataset = {
      ...counted(4),
      async read(indices, preprocess) {
        asked.push([...indices]);
        if (indices.includes(2)) throw badInput("image-2 is broken");
        return counted(4).read(indices, preprocess);
      },
    };
    const stream = batches(source, { batch: 1, preprocess: clipPreprocess(1) });
    await stream.next();
    expect(asked).toEqual([[0], [1], [2]]);
    expect((await stream.next()).value?.ids).toEqual(["image-1"]);
    await expect(stream.next()).rejects.toThrow("image-2 is broken");
  });
});
