/** The parameters of CLIP's ModifiedResNet by OpenAI's names (openai/CLIP clip/model.py). */

/** What decides the shapes of its parameters. */
export interface ResNetSizes {
  readonly imageSize: number;
  /** Of the stem. */
  readonly width: number;
  /** In each of the four stages. */
  readonly blocks: readonly number[];
}

/** Channels out of a stage of bottlenecks over those inside. */
export const expansion = 4;

/** In the order of the forward pass, running statistics included. */
export function resnetShapes(
  { imageSize, width, blocks }: ResNetSizes,
  embedDim: number,
): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const convolution = (conv: string, norm: string, from: number, to: number, kernel: number) => {
    shapes.set(`visual.${conv}.weight`, [to, from, kernel, kernel]);
    for (const part of ["weight", "bias", "running_mean", "running_var"]) shapes.set(`visual.${norm}.${part}`, [to]);
  };
  convolution("conv1", "bn1", 3, width / 2, 3);
  convolution("conv2", "bn2", width / 2, width / 2, 3);
  convolution("conv3", "bn3", width / 2, width, 3);
  let from = width;
  for (const [stage, count] of blocks.entries()) {
    const inner = width * 2 ** stage;
    for (let n = 0; n < count; n++) {
      const block = `layer${stage + 1}.${n}`;
      convolution(`${block}.conv1`, `${block}.bn1`, from, inner, 1);
      convolution(`${block}.conv2`, `${block}.bn2`, inner, inner, 3);
      convolution(`${block}.conv3`, `${block}.bn3`, inner, expansion * inner, 1);
      if (n === 0) convolution(`${block}.downsample.0`, `${block}.downsample.1`, from, expansion * inner, 1);
      from = expansion * inner;
    }
  }
  shapes.set("visual.attnpool.positional_embedding", [(imageSize / 32) ** 2 + 1, from]);
  for (const [part, to] of Object.entries({ q_proj: from, k_proj: from, v_proj: from, c_proj: embedDim })) {
    shapes.set(`visual.attnpool.${part}.weight`, [to, from]).set(`visual.attnpool.${part}.bias`, [to]);
  }
  return shapes;
}
