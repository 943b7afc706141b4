/** Embed texts with the CLIP that ships with tbar, and compare them. */
import { embed, loadClip, shapesModel } from "tbar";

const clip = await loadClip(shapesModel);
const { shape, data } = await embed(clip, ["a photo of a red circle", "a red circle", "a black fish"]);
const [, width] = shape;
const cosine = (i: number, j: number) => {
  let sum = 0;
  for (let e = 0; e < width; e++) sum += data[i * width + e] * data[j * width + e];
  return sum;
};
console.log(`red circle, said twice: ${cosine(0, 1).toFixed(3)}`);
console.log(`red circle and black fish: ${cosine(0, 2).toFixed(3)}`);
await clip.runtime.release();
