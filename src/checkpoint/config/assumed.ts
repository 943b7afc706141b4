/** What a checkpoint does not say of itself, and we therefore assume and say: choices that shapes do not show. */
import { badInput } from "../../tensor/error.ts";
import type { Activation, ClipConfig } from "./config.ts";

/** Metadata key of what was assumed when a config was written that states it as if it were known. */
export const assumedKey = "tbar.assumed";

const names: Readonly<Record<Activation, string>> = {
  quick_gelu: "QuickGELU",
  gelu: "GELU",
  gelu_pytorch_tanh: "GELU by tanh",
};

/**
 * The config with this activation in both towers; a ResNet's image tower has none of these. Throws `bad-input` where a config beside the
 * weights says another: it would be copied to what is written, and lie there.
 */
export function withActivation(config: ClipConfig, { isInferred, asked }: Told, file: string): ClipConfig {
  const { vision, text } = config;
  if (asked === undefined || asked === text.activation) return config;
  if (!isInferred) {
    throw badInput(
      `${file}: its config says that the activation is ${text.activation}, --activation says ${asked}; the option is for weights ` +
        "without a config: where the config is wrong, change it there",
    );
  }
  return {
    ...config,
    vision: vision.kind === "resnet" ? vision : { ...vision, activation: asked },
    text: { ...text, activation: asked },
  };
}

interface Told {
  /** Is the config read from shapes alone? */
  readonly isInferred: boolean;
  /** The activation that the user gives. */
  readonly asked?: Activation;
}

/** What to say of a config that was read from shapes; nothing of one that lay beside the weights. */
export function assumedSettings({ text, vision }: ClipConfig, { isInferred, asked }: Told): string | undefined {
  if (!isInferred) return undefined;
  const heads = vision.kind === "siglip" ? "heads as in Google's models" : "heads of 64 channels";
  const rest = `${heads} and LayerNorm's epsilon ${text.eps}`;
  const before = "no config beside the weights: sizes are read from shapes";
  if (asked !== undefined) return `${before}, ${names[asked]} is as --activation says, ${rest} are assumed`;
  const other = text.activation === "quick_gelu" ? "gelu" : "quick_gelu";
  return `${before}, and ${names[text.activation]}, ${rest} are assumed (where it was trained with another: --activation ${other})`;
}
