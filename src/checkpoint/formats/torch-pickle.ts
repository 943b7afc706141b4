/** What the data.pkl of a PyTorch archive means: from names and calls that were never made to tensors, views of storages. */
import { quote } from "./header-json.ts";
import { PersistentId, PickleCall, PickleName, type PickleValue } from "./pickle-values.ts";
import { byteLength, type Dtype } from "./safetensors-header.ts";
import { ORDERED_DICT, PARAMETER, STORAGES, TENSOR } from "./torch-names.ts";

/** A tensor: values of a storage, `strides` apart, counted in values. */
export interface StorageView {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  /** The storage's name in the archive, and how many values it has. */
  readonly key: string;
  readonly values: number;
}

type Fail = (reason: string) => never;

const MAX_TENSORS = 20_000;
const MAX_DEPTH = 32;
const MAX_RANK = 64;
/** Characters of a tensor's name. */
const MAX_NAME = 1024;

/** What a training checkpoint keeps beside its weights: tensors that nobody loads as a model. */
const TRAINING =
  /^(optim|lr_?sched|sched|scaler|grad_?scaler|amp|rng|args|config|hparams|hyper_parameters|callbacks|loops)/i;
/** Where weights usually are. */
const USUAL = ["state_dict", "model_state_dict", "model", ""];
/** No model has so few tensors. */
const FEW = 7;

export interface TensorsFound {
  readonly tensors: Map<string, StorageView>;
  /** What was passed over, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * The tensors by name: of a state dict, of a training checkpoint's, or of a TorchScript module's attributes. Several state dicts of like
 * size are several models: all their tensors come, the way to them before their names. `fail` is called with the reason, and must
 * throw, where there are none or one makes no sense.
 */
export function tensorsOf(root: PickleValue, fail: Fail): TensorsFound {
  if (isModule(root)) return { tensors: moduleTensors(root, fail), notes: [] };
  const dict = dictOf(root);
  if (dict === undefined) return fail("it holds no dict");
  const found = stateDicts(dict, fail);
  const most = Math.max(0, ...[...found.values()].map((calls) => calls.length));
  if (most === 0) {
    const keys = [...dict.keys()].slice(0, 8).map((key) => (typeof key === "string" ? quote(key) : typeof key));
    return fail(`it holds ${keys.join(", ") || "nothing"}; a state dict has tensors, or is called state_dict`);
  }
  const several = [...found].filter(([, calls]) => calls.length > Math.max(most / 4, FEW));
  // of small ones, that which has the usual name
  const usual = USUAL.find((path) => found.has(path)) ?? [...found].find(([, calls]) => calls.length === most)?.[0];
  const large = several.length > 0 ? several : [...found].filter(([path]) => path === usual);
  const notes = [...found]
    .filter(([path]) => !large.some(([other]) => other === path))
    .slice(0, 8)
    .map(
      ([path, { length }]) =>
        `${path === "" ? "" : `under ${quote(path)}, `}${length} tensors beside its state dict are not used`,
    );
  const [[path]] = large;
  if (large.length === 1 && !USUAL.includes(path)) notes.push(`its weights are those under ${quote(path)}`);
  const tensors = new Map<string, StorageView>();
  for (const [path, calls] of large) {
    const before = large.length === 1 || path === "" ? "" : `${path}.`;
    for (const [name, call] of calls) {
      if (typeof name !== "string") return fail(`it has a tensor whose name is ${typeof name}`);
      add(tensors, before + name, call, fail);
    }
  }
  return { tensors, notes };
}

type Calls = (readonly [PickleValue, PickleCall])[];

/**
 * The tensors of every dict or list in this one, by the way to it. Each is visited once, however often it is referred to; how deep they may
 * nest follows from the length of that way.
 */
function stateDicts(root: ReadonlyMap<PickleValue, PickleValue>, fail: Fail): Map<string, Calls> {
  const found = new Map<string, Calls>();
  const seen = new Set<unknown>([root]);
  let places = 0;
  const visit = (entries: Iterable<readonly [PickleValue, PickleValue]>, path: string, depth: number): void => {
    const calls: Calls = [];
    for (const [key, value] of entries) {
      if (++places > 10 * MAX_TENSORS) fail("it holds too many values");
      const call = tensorCall(value);
      if (call !== undefined) calls.push([key, call]);
      const inside = dictOf(value) ?? (Array.isArray(value) ? value : undefined);
      if (inside === undefined || seen.has(inside) || (depth === 1 && isTraining(key))) continue;
      seen.add(inside);
      const name = typeof key === "string" && key.length <= MAX_NAME ? key : typeof key === "number" ? `${key}` : "...";
      const below = path === "" ? name : `${path}.${name}`;
      if (below.length <= MAX_NAME) visit(inside.entries(), below, depth + 1);
      else fail(`it nests ${quote(below)} too deep`);
    }
    const same = found.get(path) ?? [];
    for (const call of calls) same.push(call);
    if (same.length > 0) found.set(path, same);
  };
  visit(root.entries(), "", 1);
  return found;
}

const isTraining = (key: PickleValue) => typeof key === "string" && key.length < 100 && TRAINING.test(key);

/** Every tensor below a module, its name the path to it. Modules may be shared, so places are counted, not objects. */
function moduleTensors(root: PickleCall, fail: Fail): Map<string, StorageView> {
  const tensors = new Map<string, StorageView>();
  let places = 0;
  const visit = (module: PickleCall, prefix: string, depth: number): void => {
    if (depth > MAX_DEPTH) fail(`its modules nest more than ${MAX_DEPTH} deep`);
    for (const [name, value] of dictOf(module.state) ?? []) {
      if (++places > 10 * MAX_TENSORS) fail("its modules have too many attributes");
      if (typeof name !== "string" || name.length > MAX_NAME) fail("a module of it has an attribute without a name");
      const call = tensorCall(value);
      if (call !== undefined) add(tensors, `${prefix}${name}`, call, fail);
      else if (isModule(value)) visit(value, `${prefix}${name}.`, depth + 1);
    }
  };
  visit(root, "", 1);
  return tensors;
}

function add(tensors: Map<string, StorageView>, name: string, call: PickleCall, fail: Fail): void {
  if (name.length > MAX_NAME || name === "__metadata__")
    return void fail(`it has a tensor with the name ${quote(name)}`);
  if (tensors.size >= MAX_TENSORS) fail(`it has more than ${MAX_TENSORS} tensors`);
  const view = viewOf(call.args, (reason) => fail(`tensor ${quote(name)} ${reason}`));
  tensors.set(name, view);
}

function isModule(value: PickleValue): value is PickleCall {
  return (
    value instanceof PickleCall && value.callee instanceof PickleName && value.callee.name.startsWith("__torch__.")
  );
}

function isCallOf(name: string, value: PickleValue | undefined): value is PickleCall {
  return value instanceof PickleCall && value.callee instanceof PickleName && value.callee.name === name;
}

function dictOf(value: PickleValue | undefined): ReadonlyMap<PickleValue, PickleValue> | undefined {
  if (value instanceof Map) return value;
  return isCallOf(ORDERED_DICT, value) ? (value.dict ?? new Map()) : undefined;
}

function tensorCall(value: PickleValue): PickleCall | undefined {
  if (isCallOf(PARAMETER, value)) value = Array.isArray(value.args) ? value.args[0] : null;
  return isCallOf(TENSOR, value) ? value : undefined;
}

/** From the arguments of `_rebuild_tensor_v2(storage, offset, size, stride, ...)`. */
function viewOf(args: PickleValue, fail: Fail): StorageView {
  const [storage, offset, shape, strides] = Array.isArray(args) ? args : [];
  const id = storage instanceof PersistentId ? storage.id : undefined;
  const [tag, type, key, , values] = Array.isArray(id) ? id : [];
  const dtype = type instanceof PickleName ? STORAGES.get(type.name) : undefined;
  if (tag !== "storage" || typeof key !== "string" || !/^\w{1,64}$/.test(key)) return fail("has no storage");
  if (dtype === undefined) return fail(`has a storage of ${type instanceof PickleName ? quote(type.name) : "no type"}`);
  if (!isCount(values) || !isCount(offset) || !isCounts(shape) || !isCounts(strides)) return fail("has odd sizes");
  if (shape.length !== strides.length) return fail(`has ${shape.length} dimensions and ${strides.length} strides`);
  const bytes = byteLength(dtype, shape);
  const count = shape.reduce((product, size) => product * size, 1);
  if (bytes === undefined || count > values) return fail(`has the shape [${shape}] over ${values} values`);
  const last = shape.reduce((at, size, i) => at + (size - 1) * strides[i], offset);
  if (count > 0 && !(last < values)) return fail(`reaches value ${last} of a storage of ${values}`);
  return { dtype, shape, strides, offset, key, values };
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: PickleValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.length <= MAX_RANK && value.every(isCount);
}
