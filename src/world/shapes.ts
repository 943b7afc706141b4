/** The embedded world `shapes`: endless labelled, captioned images, each made from (seed, split, index) when asked for. */
import type { Dataset } from "../data/dataset.ts";
import { badInput, unknownName } from "../tensor/error.ts";
import { tensor } from "../tensor/tensor.ts";
import { caption, className, placeNames, placeOf } from "./captions.ts";
import { shapes } from "./distance.ts";
import { drawScene } from "./draw-scene.ts";
import { render } from "./render.ts";
import { backgrounds, colors, type Scene, sizes, textures } from "./scene.ts";

export type LabelSet = "class" | "shape" | "color" | "background" | "texture" | "size" | "place";

/** "red circle", "yellow circle", ..., "black fish": class = shape * 10 + color. */
export const classNames: readonly string[] = shapes.flatMap((_, shape) =>
  colors.map((_, color) => className(shape, color)),
);

/** What can be asked of an image, and the names of the answers. */
export const labelSets: Readonly<Record<LabelSet, readonly string[]>> = {
  class: classNames,
  shape: shapes,
  color: colors,
  background: backgrounds,
  texture: textures,
  size: sizes,
  place: placeNames,
};

/** The label of a scene in each of the label sets. */
const labelOf: Readonly<Record<LabelSet, (scene: Scene) => number>> = {
  class: ({ main }) => main.shape * colors.length + main.color,
  shape: ({ main }) => main.shape,
  color: ({ main }) => main.color,
  background: ({ background }) => background,
  texture: ({ texture }) => texture,
  size: ({ size }) => size,
  place: placeOf,
};

export interface ShapesOptions {
  readonly seed: number;
  /** Any name: "train", "validation", "test", "forget". Each split is an independent stream. */
  readonly split: string;
  /** Number of images. */
  readonly size: number;
  /** What the labels name; "class" (colour and shape) if not given. */
  readonly labels?: LabelSet;
}

const LARGEST_IMAGE = 1024;

/** The world as a data set. Errors: a seed or size that is no whole number, an unknown label set, an index out of range. */
export function shapesWorld({ seed, split, size, labels = "class" }: ShapesOptions): Dataset {
  if (!Number.isSafeInteger(seed)) throw badInput(`seed of the shapes world must be a whole number, not ${seed}`);
  if (!Number.isSafeInteger(size) || size < 1)
    throw badInput(`size of the shapes world must be 1 or more, not ${size}`);
  if (split === "") throw badInput('split of the shapes world must have a name, such as "train" or "test"');
  if (!Object.hasOwn(labelSets, labels)) throw unknownName("label set", labels, Object.keys(labelSets));

  const sceneAt = (index: number): Scene => {
    if (!Number.isSafeInteger(index) || index < 0 || index >= size)
      throw badInput(`image ${index} of the shapes world's split "${split}", which has images 0 to ${size - 1}`);
    return drawScene(seed, split, index);
  };
  return {
    name: "shapes",
    size,
    classNames: labelSets[labels],
    example(index) {
      const scene = sceneAt(index);
      return {
        id: `shapes/${seed}/${split}/${index}`,
        label: labelOf[labels](scene),
        caption: caption(scene, seed, "shapes", split, index),
      };
    },
    async read(indices, { cropSize: imageSize }) {
      if (!Number.isSafeInteger(imageSize) || imageSize < 8 || imageSize > LARGEST_IMAGE)
        throw badInput(`image size ${imageSize}; the shapes world draws 8 to ${LARGEST_IMAGE} pixels a side`);
      const images = tensor([indices.length, 3, imageSize, imageSize]);
      indices.forEach((index, b) => {
        render(sceneAt(index), imageSize, images.data, b * 3 * imageSize * imageSize);
      });
      return images;
    },
  };
}
