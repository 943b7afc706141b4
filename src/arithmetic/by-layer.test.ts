import { expect, test } from "vitest";
import type { Tensor } from "../tensor/tensor.ts";
import { cosinesByPart, partOf, productsOf } from "./by-layer.ts";

const row = (...data: number[]): Tensor => ({ shape: [data.length], data: Float32Array.from(data) });

test.each([
  ["vision_model.encoder.layers.3.mlp.fc1.weight", "image layer 3"],
  ["text_model.encoder.layers.11.mlp.fc1.bias", "text layer 11"],
  ["vision_model.embeddings.patch_embedding.weight", "image embeddings"],
  ["visual_projection.weight", "image norms and projection"],
  ["logit_scale", "logit scale"],
])("%s is of the %s", (name, part) => expect(partOf(name)).toBe(part));

test("cosines by part: tensors of a layer count together, and what only one vector changes is zero in the other", () => {
  const [first, second] = ["vision_model.encoder.layers.0.a", "vision_model.encoder.layers.0.b"];
  const a = new Map([[first, row(3, 0)], [second, row(4)]]); // biome-ignore format: a pair
  const b = new Map([[first, row(3, 4)], ["visual_projection.weight", row(2)]]); // biome-ignore format: a pair
  const found = cosinesByPart(productsOf([first, second, "logit_scale", "visual_projection.weight"], a, b));
  // a is (3, 0, 4) and b (3, 4, 0) in the layer: 9 / 25
  expect(found).toEqual([
    { name: "image layer 0", cosine: 9 / 25, norms: [5, 5] },
    { name: "image norms and projection", cosine: 0, norms: [0, 2] },
  ]);
});
