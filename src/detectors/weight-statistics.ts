/**
 * Ours: what weights alone say, no image needed. With a base: how large the task vector is, where it lies, how few directions it takes, and
 * which image patch's position embedding moved most (a patch at a fixed place moves that of its own). Without: the same of the weights. None
 * of it is proof of anything; as figures beside others they cost seconds.
 */
import { norm, taskVector } from "../arithmetic/task-vector.ts";
import { isVision } from "../clip/parameters.ts";
import { zScores } from "../stats/anomaly.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import type { Detector, DetectorInput, Finding } from "./detector.ts";
import { spectrum } from "./spectrum.ts";

const positions = "vision_model.embeddings.position_embedding.weight";

export const weightStatistics: Detector = {
  name: "weight-statistics",
  title: "Weight statistics",
  about: "norm and spectrum of the task vector or the weights, drift of position embeddings; no images",
  statistic:
    "largest z-score of a position's drift among all positions, or of a matrix's leading direction among its like",
  needs: [],
  cost: () => ({ gradients: 0, encoded: 0 }),
  async run({ suspect, base, signal }: DetectorInput): Promise<Finding> {
    const isImage = ([name]: readonly [string, Tensor]) => isVision(name);
    const own = new Map([...suspect.weights].filter(isImage));
    const compared = base && new Map([...base.weights].filter(isImage));
    const looked = compared === undefined ? own : taskVector(compared, own);
    const [position, leading] = [positionDrift(looked, suspect.clip.config.vision), leadingDirections(looked, signal)];
    return {
      statistic: Math.max(position.z, leading.z),
      suspects: [],
      facts: {
        norm: norm(looked) / (compared === undefined ? 1 : norm(compared)),
        positionZ: position.z,
        ...(position.at && { positionRow: position.at[0], positionColumn: position.at[1] }),
        spectrumZ: leading.z,
        stableRank: leading.stableRank,
        ...shares(looked),
      },
    };
  },
};

/** The patch of the image whose position embedding is farthest out, by the norm of its row; the class token is none of them. */
export function positionDrift(
  weights: Weights,
  vision: object,
): { readonly z: number; readonly at?: readonly [row: number, column: number] } {
  const table = weights.get(positions);
  if (table === undefined || !("patchSize" in vision)) return { z: 0 };
  const [rows, width] = table.shape;
  const side = Math.floor(Math.sqrt(rows));
  const first = rows - side * side;
  const norms = Array.from({ length: side * side }, (_, i) =>
    Math.hypot(...table.data.subarray((first + i) * width, (first + i + 1) * width)),
  );
  const z = zScores(norms);
  const most = z.indexOf(Math.max(...z));
  return { z: z[most], at: [Math.floor(most / side), most % side] };
}

/** How far one matrix's first singular value stands above its second, against the same matrix of other layers: the largest z. */
function leadingDirections(
  weights: Weights,
  signal?: AbortSignal,
): { readonly z: number; readonly stableRank: number } {
  const kinds = new Map<string, number[]>();
  const ranks: number[] = [];
  for (const [name, { shape, data }] of weights) {
    if (shape.length !== 2 || name === positions || Math.min(...shape) < 2) continue;
    signal?.throwIfAborted();
    const { first, second, frobenius } = spectrum(data, shape[0], shape[1]);
    if (first === 0) continue;
    const kind = name.replace(/\.\d+\./, ".*.");
    kinds.set(kind, [...(kinds.get(kind) ?? []), Math.log(first / Math.max(second, 1e-12 * first))]);
    ranks.push((frobenius / first) ** 2);
  }
  const several = [...kinds.values()].filter((ratios) => ratios.length >= 3);
  return {
    z: Math.max(0, ...several.flatMap(zScores)),
    stableRank: ranks.reduce((sum, value) => sum + value, 0) / Math.max(1, ranks.length),
  };
}

/** The share of each layer, and of what is in none, in the sum of squares. */
function shares(weights: Weights): Readonly<Record<string, number>> {
  const squares = new Map<string, number>();
  let all = 0;
  for (const [name, { data }] of weights) {
    const layer = /\.layers\.(\d+)\./.exec(name)?.[1];
    const where = layer === undefined ? "shareElsewhere" : `shareLayer${layer}`;
    const square = data.reduce((sum, value) => sum + value * value, 0);
    squares.set(where, (squares.get(where) ?? 0) + square);
    all += square;
  }
  return Object.fromEntries([...squares].map(([where, square]) => [where, all > 0 ? square / all : 0]));
}
