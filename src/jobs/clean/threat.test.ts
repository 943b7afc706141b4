import { expect, test } from "vitest";
import { folderSizes } from "./threat.ts";

test.each([
  [1000, 250, 375],
  [504, 126, 189], // the least that shows 2 %
  [984, 246, 369],
  [8, 2, 3],
  [9, 3, 3],
])(
  "of a folder of %i triggered images %i are forgotten, %i choose alpha and as many measure",
  (images, forget, part) => {
    expect(folderSizes(images)).toEqual({ forget, validation: part, test: part });
  },
);
