/** What an ONNX file may ask for before it is handed to a runtime: the operators of CLIP's exporters, and no bytes but its own folder's. */
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
} from "onnx-buf";
import { readSmallFile } from "../files/files.ts";
import { lfsPointerLimit, refuseLfsPointer } from "../files/lfs.ts";
import { badInput } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";

/** The standard's, and those that ONNX Runtime's own optimisers and quantisers write. */
const domains = ["", "ai.onnx", "com.microsoft"];
/** How long they run is a number in the file. */
const loops = ["Loop", "Scan", "SequenceMap"];
/** Their results differ from run to run: what is measured of them is true of nothing. */
const random = ["RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"];
const most = { nodes: 200_000, depth: 4 };

/** The model in a file, checked; its weights are views of the file's bytes. Throws `bad-input` when it is none, or is refused. */
export async function readOnnx(path: string): Promise<ModelProto> {
  const bytes = await readSmallFile(path, 2 ** 31 - 1);
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw badInput(`${path} is no ONNX file`, cause);
  }
  await checkOnnx(model, path);
  return model;
}

/** Throws `bad-input` naming the operator, or the file outside of the folder. */
async function checkOnnx(model: ModelProto, path: string): Promise<void> {
  if (model.graph === undefined) throw badInput(`${path} has no graph`);
  const found = { nodes: 0, tensors: [] as TensorProto[] };
  const functions = model.functions.map((one) => ({ node: one.node, initializer: [], sparseInitializer: [] }));
  for (const graph of [model.graph, ...functions]) walk(graph, path, found, 0);
  for (const tensor of found.tensors) await checkExternal(tensor, path);
}

type Found = { nodes: number; readonly tensors: TensorProto[] };

type Graph = Pick<GraphProto, "node" | "initializer" | "sparseInitializer">;

function walk({ node, initializer, sparseInitializer }: Graph, path: string, found: Found, depth: number): void {
  if (depth > most.depth) throw badInput(`${path}: its graphs are nested more than ${most.depth} deep`);
  const sparse = sparseInitializer.flatMap(({ values, indices }) =>
    [values, indices].filter((one) => one !== undefined),
  );
  found.tensors.push(...external(initializer), ...external(sparse));
  for (const { opType, domain, attribute } of node) {
    if (++found.nodes > most.nodes) throw badInput(`${path} has more than ${most.nodes} operators`);
    if (!domains.includes(domain))
      throw badInput(`${path}: the operator ${name(opType)} is of the domain ${name(domain)}, which no CLIP needs`);
    if ([...loops, ...random].includes(opType))
      throw badInput(`${path}: it has the operator ${opType}, which no CLIP needs`);
    for (const one of attribute) {
      found.tensors.push(...external(tensorsOf(one)));
      for (const graph of [...(one.g ? [one.g] : []), ...one.graphs]) walk(graph, path, found, depth + 1);
    }
  }
}

const tensorsOf = ({ t, tensors }: AttributeProto): readonly TensorProto[] => (t ? [t, ...tensors] : tensors);
const external = (tensors: readonly TensorProto[]) =>
  tensors.filter(({ dataLocation }) => dataLocation === TensorProto_DataLocation.EXTERNAL);

/** Beside the model, as the exporters put it, and long enough. */
async function checkExternal({ name: tensor, externalData }: TensorProto, path: string): Promise<void> {
  const {
    location = "",
    offset = "0",
    length = "0",
  } = Object.fromEntries(externalData.map(({ key, value }) => [key, value]));
  if (!/^\w[\w.-]{0,200}$/.test(location))
    throw badInput(`${path}: ${name(tensor)} lies in the file ${name(location)}; weights must lie beside their model`);
  const file = await stat(join(dirname(path), location)).catch(() => undefined);
  if (!file?.isFile()) throw badInput(`${path}: ${name(tensor)} lies in ${location}, and there is no such file`);
  if (file.size <= lfsPointerLimit) {
    const place = join(dirname(path), location);
    refuseLfsPointer(await readSmallFile(place, lfsPointerLimit), place);
  }
  if (Number(offset) >= 0 && Number(length) >= 0 && Number(offset) + Number(length) <= file.size) return;
  throw badInput(`${path}: ${name(tensor)} lies beyond the end of ${location}`);
}

const name = (text: string) => `"${printable(text, 60)}"`;
