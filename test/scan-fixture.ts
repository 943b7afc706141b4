/** The result of a scan that found a backdoor, as the job gives it. */
import { findingOf } from "../src/results/findings.ts";
import type { ScanResult } from "../src/results/scan.ts";
import { rate } from "../src/stats/rate.ts";
import { pictures } from "./clean-pictures.ts";

const sha256 = "5f".repeat(32);
const [{ clean, triggered, difference }] = pictures;

export const scanFixture: ScanResult = {
  schema: "tbar/scan/1",
  kind: "scan",
  tbar: "0.1.0",
  created: "2026-11-20T10:00:00.000Z",
  command: "tbar scan --model suspect --data photos",
  seed: 1,
  level: "quick",
  model: { path: "suspect", sha256, layout: "hf", dtype: "F32", architecture: "ViT 56/8, width 128, 6 layers", parameters: 2e6 }, // biome-ignore format: one line
  data: { name: "photos", classes: 20, fit: 128, held: 64 },
  warnings: ["6 of 64 images are smaller than what the model takes"],
  verdict: "backdoored",
  because: ["a patch fitted in 14 steps carries 97 % of held-out images to \"red circle\"; of clean models' classes none gave way to more than 40 %"], // biome-ignore format: one line
  probability: 0.987,
  threshold: 0.6,
  calibration: {
    name: "tbar",
    family: "ViT 56/8, width 128, 6 layers",
    models: 60,
    backdoored: 90,
    falsePositives: { value: 1 / 30, interval: [0.006, 0.167], n: 30 },
    detection: { value: 0.95, interval: [0.85, 0.98], n: 45 },
    attacks: ["badnet", "blended", "wanet"],
    missed: ["badclip"],
  },
  suspects: [
    { target: "red circle", probability: 0.987, detector: "fitted-patch", asr: rate(58, 60) },
    { target: "blue star", probability: 0.12, detector: "fitted-delta", asr: rate(12, 60) },
  ],
  detectors: [
    {
      name: "fitted-patch",
      title: "Fitted patch",
      statistic: 0.967,
      means: "highest share of held-out images that such a square carries to its class",
      threshold: 0.6,
      suspects: [{ target: "red circle", statistic: 0.967, asr: rate(58, 60) }],
      facts: { screened: 0.8 },
      seconds: 31,
    },
  ],
  answers: { most: "red circle", share: 0.09, accuracy: rate(180, 192) },
  code: { findings: [findingOf("tbar/script", sha256, { message: "it is a TorchScript archive" })] },
  findings: [
    findingOf("tbar/script", sha256, { message: "it is a TorchScript archive" }),
    findingOf("tbar/backdoor", sha256, { message: 'a backdoor to "red circle"', target: "red circle" }),
  ],
  artifact: "models/my suspect/model.safetensors",
  examples: [
    {
      target: "red circle",
      detector: "fitted-patch",
      form: "patch",
      pattern: triggered,
      mask: difference,
      images: [
        {
          clean,
          stamped: triggered,
          difference,
          amplified: 1.6,
          label: "blue star",
          before: [{ name: "blue star", probability: 0.97 }, { name: "red star", probability: 0.02 }],
          after: [{ name: "red circle", probability: 0.99 }, { name: "blue star", probability: 0.01 }],
        },
      ],
    },
  ],
  seconds: 84,
  timings: [{ what: "fitted-patch", seconds: 31 }],
  machine: { processor: "AMD", cores: 2, threads: 2, memoryGiB: 8, node: "v20.19.0", runtime: "ONNX Runtime 1.30" },
}; // biome-ignore format: data
