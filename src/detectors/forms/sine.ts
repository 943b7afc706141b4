/** A wave over the whole image: x' = clip(x + a sin(2 pi (down i + across j) / S + phase)); nothing of it is learned. */
import { type InvertedSpec, sineWave } from "../../triggers/inverted.ts";
import type { Form } from "./form.ts";

export interface Wave {
  readonly amplitude: number;
  /** Periods from top to bottom and from left to right. */
  readonly down: number;
  readonly across: number;
  readonly phase: number;
}

/** For images of S x S. */
export function sine(S: number, wave: Wave): Form {
  const added = sineWave(S, wave);
  return {
    name: "sine",
    size: 0,
    lr: 0,
    start: () => new Float32Array(0),
    stamp(_, image, out) {
      for (let i = 0; i < added.length; i++) out[i] = Math.min(1, Math.max(0, image[i] + added[i]));
    },
    pull: () => {},
    trigger: (): InvertedSpec => ({ kind: "inverted", seed: 0, form: "sine", S, ...wave }),
  };
}
