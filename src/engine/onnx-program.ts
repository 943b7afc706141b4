/** A model's towers as ONNX programs for others to run: any batch, weights inside, names as transformers.js expects them. */
import { fromBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
} from "onnx-buf";
import { type ClipConfig, parameterShapes } from "../checkpoint/config/config.ts";
import { pairLogits, unit } from "../clip/loss.ts";
import { parameterInputs } from "../clip/parameters.ts";
import { imageTower, type TextInputs, textTower } from "../clip/towers.ts";
import { input, type Node } from "../graph/node.ts";
import { transpose } from "../graph/ops/index.ts";
import { simplify } from "../graph/simplify.ts";
import { lowered, standardDialect } from "../onnx/dialect.ts";
import { emit } from "../onnx/emit.ts";
import { int64, integer, node } from "../onnx/nodes.ts";
import { makeSymbolic, standIns } from "../onnx/symbols.ts";
import type { ProgramName } from "./program-names.ts";

export interface OnnxProgram {
  /** Reads the parameters by name as tensors that it does not contain. */
  readonly model: ModelProto;
  /** The parameters it reads. */
  readonly parameters: readonly string[];
}

/**
 * Inputs: `pixel_values` [B, 3, S, S], normalised by the model's mean and deviation; `input_ids` [N, L] of int64, texts padded
 * behind their end to any common length L. Outputs are those of transformers: `image_embeds` and `text_embeds` (raw from one
 * tower, of unit norm from both; `pooler_output` from one tower of SigLIP), `logits_per_image` [B, N] and `logits_per_text`.
 */
export function onnxProgram(config: ClipConfig, name: ProgramName): OnnxProgram {
  const { vision, text } = config;
  const [images, texts, length] = standIns(3, sizesOf(config), 10_000);
  const pixels = input("pixel_values", [images, 3, vision.imageSize, vision.imageSize]);
  const whole = text.pooling === "last"; // all positions are read
  const tokens = {
    tokens: input("tokens", [whole ? text.contextLength : length, texts], "int"),
    ends: input("ends", [texts], "int"),
    endRows: input("endRows", [texts], "int"),
  };
  const outputs = outputsOf(config, name, pixels, tokens);
  const roots = lowered(simplify(Object.values(outputs)), standardDialect);
  const bytes = emit(Object.fromEntries(Object.keys(outputs).map((output, i) => [output, roots[i]])));
  const model = fromBinary(ModelProtoSchema, bytes);
  const { graph } = model;
  if (graph === undefined) throw new Error("emit() made no graph");
  makeSymbolic(graph, [
    { name: "image_batch_size", prime: images, input: "pixel_values", axis: 0 },
    { name: "text_batch_size", prime: texts, input: "input_ids", axis: 0 },
    { name: "sequence_length", prime: length, input: "input_ids", axis: 1 },
  ]);
  const shapes = parameterShapes(config);
  const parameters = graph.input.map(({ name }) => name).filter((name) => shapes.has(name));
  graph.input = graph.input.filter(({ name }) => !shapes.has(name));
  if (name !== "image") readTokenIds(graph, config);
  model.opsetImport = model.opsetImport.filter(({ domain }) => domain === ""); // nothing of ONNX Runtime's own is left
  return { model, parameters };
}

function outputsOf(config: ClipConfig, name: ProgramName, pixels: Node, tokens: TextInputs): Record<string, Node> {
  const p = parameterInputs(config);
  const image = () => imageTower(config, p, pixels, { mean: [0, 0, 0], std: [1, 1, 1] });
  const text = () => textTower(config, p, tokens);
  const siglip = config.vision.kind === "siglip";
  if (name === "image") return { [siglip ? "pooler_output" : "image_embeds"]: image() };
  if (name === "text") return { [siglip ? "pooler_output" : "text_embeds"]: text() };
  const [images, texts] = [image(), text()];
  const logits = pairLogits(config, p, images, texts);
  return {
    logits_per_image: logits,
    logits_per_text: transpose(logits, [1, 0]),
    text_embeds: unit(texts),
    image_embeds: unit(images),
  };
}

/** All sizes that those of the graph are products of. */
function sizesOf(config: ClipConfig): number[] {
  const { vision, text } = config;
  const parts = vision.kind === "resnet" ? [32] : [vision.patchSize, vision.imageSize / vision.patchSize];
  return [...[...parameterShapes(config).values()].flat(), ...parts, vision.imageSize, vision.heads, text.heads];
}

/** Puts `input_ids` [N, L] in place of the inputs that the text tower reads. */
function readTokenIds(graph: GraphProto, { text: { pooling, eosTokenId = 0 } }: ClipConfig): void {
  const [ids] = graph.input.filter(({ name }) => name === "tokens");
  if (ids.type?.value.case === "tensorType") ids.type.value.value.shape?.dim.reverse(); // they were time first
  ids.name = "input_ids";
  graph.input = graph.input.filter(({ name }) => name !== "ends" && name !== "endRows");
  const nodes = [
    node("Transpose", ["input_ids"], "tokens", { name: "perm", type: AttributeType.INTS, ints: [1n, 0n] }),
  ];
  if (pooling !== "last") {
    // the first place of the largest id, or of the one that ends texts
    if (pooling === "first-eos") nodes.push(node("Equal", ["input_ids", "eos"], "is_eos"));
    nodes.push(
      node("Cast", [pooling === "first-eos" ? "is_eos" : "input_ids"], "marks", integer("to", DataType.INT32)),
      node("ArgMax", ["marks"], "ends", integer("axis", 1), integer("keepdims", 0)),
      node("Shape", ["input_ids"], "texts", integer("start", 0), integer("end", 1)),
      node("Squeeze", ["texts"], "text_count"),
      node("Range", ["zero", "text_count", "one"], "columns"),
      node("Mul", ["ends", "texts"], "end_places"),
      node("Add", ["end_places", "columns"], "endRows"),
    );
    graph.initializer.push(
      ...Object.entries({ zero: 0, one: 1, eos: eosTokenId }).map(([name, n]) => int64(name, [n], false)),
    );
  }
  graph.node.unshift(...nodes);
}
