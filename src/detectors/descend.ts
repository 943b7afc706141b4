/** Gradients of any loss to the parameters of triggers, one of them on a whole batch or several side by side in it. */
import { gradientOf } from "../engine/gradients.ts";
import type { PixelGradients, StampGradients } from "../engine/pixel-gradients.ts";
import type { Feeds } from "../runtime/executor.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import type { Form, FormGraph } from "./forms/form.ts";

/** A trigger as it is on its way: its form, and parameters that change in place. */
export interface Stamped {
  readonly form: Form;
  readonly parameters: Float32Array;
}

/** Rows of a batch: on two cores larger ones are no faster, and a ViT-B takes gigabytes for them. */
export const rows = 32;

/** Triggers by batches, so many images with each: as even as can be, so that most take the same program. */
export function groups<One>(all: readonly One[], each: number): readonly (readonly One[])[] {
  const count = Math.ceil(all.length / Math.max(1, Math.floor(rows / each)));
  const size = Math.ceil(all.length / count);
  return Array.from({ length: count }, (_, g) => all.slice(g * size, (g + 1) * size));
}

export interface Descent {
  /** What the loss gave back, rows k n .. (k + 1) n - 1 being the n images with trigger k on. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** For each trigger the gradient to its parameters, summed over its images. */
  readonly gradients: readonly Float32Array[];
}

/** Stamps each trigger on the `picked` of `pixels` [N, 3, S, S], and pulls the loss's gradient back to its parameters. */
export async function descend(
  engine: PixelGradients,
  triggers: readonly Stamped[],
  pixels: Tensor,
  picked: readonly number[],
  feeds: Feeds,
): Promise<Descent> {
  const size = pixels.data.length / pixels.shape[0];
  const rowOf = (data: Float32Array, i: number) => data.subarray(i * size, (i + 1) * size);
  const batch = tensor([triggers.length * picked.length, ...pixels.shape.slice(1)]);
  const each = (use: (trigger: Stamped, image: Float32Array, row: number, k: number) => void) => {
    for (const [k, trigger] of triggers.entries())
      for (const [n, i] of picked.entries()) use(trigger, rowOf(pixels.data, i), k * picked.length + n, k);
  };
  each(({ form, parameters }, image, row) => form.stamp(parameters, image, rowOf(batch.data, row)));
  const { gradient, ...outputs } = await engine.run(batch, feeds);
  const gradients = triggers.map(({ form }) => new Float32Array(form.size));
  each(({ form, parameters }, image, row, k) => form.pull(parameters, image, rowOf(gradient.data, row), gradients[k]));
  return { outputs, gradients };
}

/** The same for one trigger on all of the pixels, its form part of the program: images are neither stamped nor pulled back on the host. */
export async function descendAlone(
  engine: StampGradients,
  { form, parameters }: Stamped & { readonly form: { readonly graph: FormGraph } },
  pixels: Tensor,
  feeds: Feeds,
): Promise<Descent> {
  const stamped = form.graph.feeds(parameters);
  const outputs = await engine.run(pixels, stamped, feeds);
  const gradients = Object.fromEntries(Object.keys(stamped).map((name) => [name, outputs[gradientOf(name)]]));
  const gradient = new Float32Array(form.size);
  form.graph.pull(parameters, gradients, gradient);
  return { outputs, gradients: [gradient] };
}

/** The same `count` images of `n` in a step whenever it is asked for: each at most once. */
export function pickedAt(n: number, count: number, ...path: readonly (number | string)[]): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  return random(...path).shuffle(all).slice(0, count); // biome-ignore format: one line
}

/** A trigger's parameters as an optimizer takes them. */
export const named = (data: Float32Array): Weights => new Map([["p", { shape: [data.length], data }]]);

/** The picked rows of [N, ...], copied. */
export function rowsOf({ shape, data }: Tensor, picked: readonly number[]): Tensor {
  const size = data.length / shape[0];
  const rows = tensor([picked.length, ...shape.slice(1)]);
  for (const [k, i] of picked.entries()) rows.data.set(data.subarray(i * size, (i + 1) * size), k * size);
  return rows;
}
