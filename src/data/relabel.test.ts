import { expect, test } from "vitest";
import type { Dataset } from "./dataset.ts";
import { captionedAs, withCaptions, withLabels } from "./relabel.ts";

const images = (example: Dataset["example"]): Dataset => ({
  name: "images",
  size: 40,
  classNames: ["cat", "dog"],
  example,
  read: () => Promise.reject(new Error("no pixel is needed")),
});
const templates = ["a {}", "the $& {}"];

test("an image without a caption gets one of its class, drawn by its id; one that has a caption keeps it", () => {
  const labelled = images((i) => ({ id: `${i}`, label: i % 2, ...(i === 0 && { caption: "my own" }) }));
  const captions = Array.from({ length: 40 }, (_, i) => withCaptions(labelled, templates, 1).example(i).caption);
  expect(captions[0]).toBe("my own");
  expect(new Set(captions.slice(1))).toEqual(new Set(["a cat", "a dog", "the $& cat", "the $& dog"]));
  for (let i = 1; i < 40; i++) expect(captions[i]?.endsWith(i % 2 ? "dog" : "cat")).toBe(true);
  const again = withCaptions({ ...labelled, size: 3 }, templates, 1);
  expect(again.example(2).caption).toBe(captions[2]);
});

test("without a known class there is nothing to say", () => {
  expect(
    withCaptions(
      images((i) => ({ id: `${i}` })),
      templates,
      1,
    ).example(3),
  ).toEqual({ id: "3" });
  const other = withCaptions(
    images((i) => ({ id: `${i}`, label: 7 })),
    templates,
    1,
  );
  expect(other.example(3).caption).toBeUndefined();
});

test("other labels drop captions; those of the same images can be put back", () => {
  const captioned = images((i) => ({ id: `${i}`, caption: `number ${i}` }));
  const answered = withLabels(captioned, new Int32Array(40).fill(1));
  expect(answered.example(5)).toEqual({ id: "5", label: 1 });
  expect(captionedAs(captioned, answered).example(5)).toEqual({ id: "5", label: 1, caption: "number 5" });
});
