/**
 * Python pickles as data (protocols 0 to 5; opcodes as in CPython's pickletools). Nothing a pickle names is looked up and nothing
 * it calls is called: names become `PickleName`, calls `PickleCall`, and whoever asked decides which of them mean something.
 * Memory and time are bounded: lengths by the bytes that are there, values by the number of opcodes.
 */

/** "module name" of something that Python would import. */
export class PickleName {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A call that Python would make, and what would happen to its result. */
export class PickleCall {
  readonly callee: PickleValue;
  readonly args: PickleValue;
  /** Set by BUILD: usually the attributes. */
  state?: PickleValue;
  /** What APPEND and SETITEM add: not there until then, as a hostile pickle makes many calls. */
  list?: PickleValue[];
  dict?: Map<PickleValue, PickleValue>;
  constructor(callee: PickleValue, args: PickleValue) {
    this.callee = callee;
    this.args = args;
  }
}

/** Something that lies outside of the pickle. */
export class PersistentId {
  readonly id: PickleValue;
  constructor(id: PickleValue) {
    this.id = id;
  }
}

/** Lists, tuples and sets are arrays, dicts are Maps: a name such as `__proto__` means nothing to them. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleName
  | PickleCall
  | PersistentId;

/** What was met on the way, kept even when the pickle turns out to be broken. */
export interface PickleSeen {
  /** "module name" of all that is named. */
  readonly names: Set<string>;
  /** How often each opcode stands there. */
  readonly opcodes: Map<string, number>;
}

export const nothingSeen = (): PickleSeen => ({ names: new Set(), opcodes: new Map() });

/** Twice what the training checkpoint of the largest CLIP takes: 27 for a tensor, of which Adam keeps two more. */
const MAX_OPCODES = 200_000;
/** Each takes two hundred bytes. A training checkpoint has one for every parameter. */
const MAX_DICTS = 50_000;
const MAX_INTEGER = 256;
const MAX_LINE = 65_536;
/** Characters of a module's or a name's: joined and kept, and shared strings may be asked for 200,000 times. */
const MAX_PART = 1024;

export interface PickleOptions {
  readonly start?: number;
  readonly seen?: PickleSeen;
  /** Opcodes at most; default: what weights need. */
  readonly most?: number;
  /**
   * Go on where another reader might: past odd text, numbers and types, of long strings only their beginnings read. For those who ask what
   * a stranger's program would do with bytes, not what they mean.
   */
  readonly lenient?: boolean;
}

/** Where a pickle's bytes come from. */
export interface PickleBytes {
  readonly length: number;
  /** Those from `from` to before `to`, which are there. */
  subarray(from: number, to: number): Uint8Array;
  /** The place of the first such byte from `from` on, or -1. */
  indexOf(byte: number, from: number): number;
}

/**
 * The value of the pickle that begins at `start`, and where it ends. `fail` is called with the reason, and must throw, where the
 * bytes are no pickle or ask for too much.
 */
export function parsePickle(
  bytes: PickleBytes,
  fail: (reason: string) => never,
  { start = 0, seen = nothingSeen(), most = MAX_OPCODES, lenient = false }: PickleOptions = {},
): { readonly value: PickleValue; readonly end: number } {
  const input = reader(bytes, start, fail, lenient);
  const machine = new Machine(fail, seen.names, lenient);
  for (let count = 0; ; count++) {
    if (count >= most) fail(`it has more than ${most} opcodes`);
    const at = input.at();
    const code = input.uint(1);
    const [name, step] = opcodes.get(code) ?? fail(`byte ${code} at ${at} is no opcode`);
    seen.opcodes.set(name, (seen.opcodes.get(name) ?? 0) + 1);
    if (name === "STOP") return { value: machine.result(), end: input.at() };
    step(machine, input);
  }
}

type Input = ReturnType<typeof reader>;

/** Bounded reads of an opcode's argument. */
function reader(bytes: PickleBytes, start: number, fail: (reason: string) => never, lenient: boolean) {
  let at = start;
  const take = (length: number): number => {
    if (!(length <= bytes.length - at)) fail(`it wants ${length} bytes at ${at} and ${bytes.length - at} are left`);
    at += length;
    return at - length;
  };
  const fixed = (size: 1 | 2 | 4 | 8): DataView => {
    const from = take(size);
    const raw = bytes.subarray(from, from + size);
    return new DataView(raw.buffer, raw.byteOffset, size);
  };
  const uint = (size: 1 | 2 | 4 | 8): number => {
    const view = fixed(size);
    if (size === 8) return Number(view.getBigUint64(0, true));
    return size === 1 ? view.getUint8(0) : size === 2 ? view.getUint16(0, true) : view.getUint32(0, true);
  };
  /** As much as is kept of so many bytes. */
  const kept = (length: number) => (lenient ? Math.min(length, MAX_LINE) : length);
  const counted = (size: 1 | 4 | 8): Uint8Array => {
    const length = uint(size);
    const from = take(length);
    return bytes.subarray(from, from + kept(length));
  };
  const text = (raw: Uint8Array): string => {
    try {
      return new TextDecoder("utf-8", { fatal: !lenient, ignoreBOM: true }).decode(raw);
    } catch {
      return fail(`a string before ${at} is not UTF-8`);
    }
  };
  return {
    fail,
    at: () => at,
    uint,
    int32: () => fixed(4).getInt32(0, true),
    float64: () => fixed(8).getFloat64(0, false),
    counted,
    text: (size: 1 | 4 | 8) => text(counted(size)),
    latin1: (size: 1) => Buffer.from(counted(size)).toString("latin1"),
    /** Up to the line break, as protocol 0 writes its arguments. */
    line() {
      const end = bytes.indexOf(10, at);
      if (end < 0 || kept(end - at) > MAX_LINE) fail(`the line at ${at} does not end`);
      const line = text(bytes.subarray(at, at + kept(end - at)));
      at = end + 1;
      return line;
    },
    /** Little-endian two's complement of any length. */
    long(size: 1 | 4): number | bigint {
      const raw = counted(size);
      if (lenient) return 0;
      if (raw.length > MAX_INTEGER) fail(`it has an integer of ${raw.length} bytes`);
      const hex = Buffer.from(raw).reverse().toString("hex");
      return integer(hex === "" ? 0n : BigInt.asIntN(8 * raw.length, BigInt(`0x${hex}`)));
    },
    /** A decimal, Python 2's `L` at its end allowed. */
    decimal(): number | bigint {
      const line = this.line().replace(/L$/, "");
      if (lenient) return Number.parseInt(line, 10) || 0;
      if (!/^[+-]?\d{1,600}$/.test(line)) fail(`${JSON.stringify(line.slice(0, 40))} before ${at} is no integer`);
      return integer(BigInt(line.replace("+", "")));
    },
  };
}

function integer(value: bigint): number | bigint {
  return BigInt.asIntN(53, value) === value ? Number(value) : value;
}

/** The pickle machine: a stack, a stack of marks, a memo. */
class Machine {
  readonly #fail: (reason: string) => never;
  readonly #names: Set<string>;
  readonly #lenient: boolean;
  #stack: PickleValue[] = [];
  readonly #below: PickleValue[][] = [];
  readonly memo = new Map<number, PickleValue>();
  #dicts = 0;

  constructor(fail: (reason: string) => never, names: Set<string>, lenient: boolean) {
    this.#fail = fail;
    this.#names = names;
    this.#lenient = lenient;
  }

  /** What is no pickle of ours, but may go on elsewhere. */
  #odd(reason: string): void {
    if (!this.#lenient) this.#fail(reason);
  }

  newDict(): Map<PickleValue, PickleValue> {
    if (++this.#dicts > MAX_DICTS) this.#odd(`it makes more than ${MAX_DICTS} dicts`);
    return new Map();
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    return this.#stack.length > 0 ? (this.#stack.pop() as PickleValue) : this.#fail("it takes more than it put down");
  }

  /** The last `count` values, in order. */
  take(count: number): PickleValue[] {
    if (count > this.#stack.length) this.#fail("it takes more than it put down");
    return this.#stack.splice(this.#stack.length - count);
  }

  top(): PickleValue {
    return this.#stack.length > 0
      ? (this.#stack.at(-1) as PickleValue)
      : this.#fail("it uses what it did not put down");
  }

  mark(): void {
    this.#below.push(this.#stack);
    this.#stack = [];
  }

  /** All above the last mark, which is gone then. */
  takeMarked(): PickleValue[] {
    const above = this.#stack;
    this.#stack = this.#below.pop() ?? this.#fail("it closes what it did not open");
    return above;
  }

  recall(index: number): void {
    if (!this.memo.has(index)) this.#fail(`it recalls ${index}, which it did not memorize`);
    this.push(this.memo.get(index) as PickleValue);
  }

  memorize(index: number): void {
    this.memo.set(index, this.top());
  }

  name(module: PickleValue, name: PickleValue): PickleName {
    const [first, second] = [module, name].map((part) => {
      if (typeof part !== "string" && !(part instanceof Uint8Array)) return this.#fail("it computes a name to import");
      if (part.length > MAX_PART) return this.#fail(`it names something of ${part.length} characters`);
      return typeof part === "string" ? part : Buffer.from(part).toString("latin1"); // Python 2's str
    });
    const full = `${first} ${second}`;
    this.#names.add(full);
    return new PickleName(full);
  }

  append(values: readonly PickleValue[]): void {
    const into = this.top();
    const list = into instanceof PickleCall ? (into.list ??= []) : into;
    if (Array.isArray(list)) for (const value of values) list.push(value);
    else this.#odd("it appends to something that is no list");
  }

  set(pairs: readonly PickleValue[]): void {
    const into = this.top();
    const dict = into instanceof PickleCall ? (into.dict ??= this.newDict()) : into;
    if (dict instanceof Map) this.fill(dict, pairs);
    else this.#odd("it sets a key of something that is no dict");
  }

  fill(dict: Map<PickleValue, PickleValue>, pairs: readonly PickleValue[]): Map<PickleValue, PickleValue> {
    if (pairs.length % 2 !== 0) this.#odd("it has a key without a value");
    for (let i = 0; i + 1 < pairs.length; i += 2) dict.set(pairs[i], pairs[i + 1]);
    return dict;
  }

  build(state: PickleValue): void {
    const target = this.top();
    if (target instanceof PickleCall) target.state = state;
    else this.#odd("it sets the state of something that it did not make");
  }

  result(): PickleValue {
    const value = this.pop();
    if (this.#stack.length > 0 || this.#below.length > 0) this.#odd("it leaves something behind");
    return value;
  }
}

type Step = (machine: Machine, input: Input) => void;

const pushes = (value: (input: Input) => PickleValue): Step => {
  return (machine, input) => machine.push(value(input));
};
const collects = (count: number): Step => {
  return (machine) => machine.push(machine.take(count));
};
const calls = (machine: Machine, callee: PickleValue, args: PickleValue) => machine.push(new PickleCall(callee, args));
const extension =
  (size: 1 | 2 | 4): Step =>
  (machine, input) =>
    machine.push(machine.name("copyreg", `extension ${input.uint(size)}`));

const table: readonly (readonly [string | number, string, Step])[] = [
  [0x80, "PROTO", (_, input) => (input.uint(1) > 5 ? input.fail("its protocol is above 5") : undefined)],
  [0x95, "FRAME", (_, input) => input.uint(8)],
  [".", "STOP", () => {}],

  ["N", "NONE", pushes(() => null)],
  [0x88, "NEWTRUE", pushes(() => true)],
  [0x89, "NEWFALSE", pushes(() => false)],
  ["I", "INT", pushes((input) => input.decimal())], // I00 and I01, protocol 0's booleans, stay numbers
  ["L", "LONG", pushes((input) => input.decimal())],
  ["J", "BININT", pushes((input) => input.int32())],
  ["K", "BININT1", pushes((input) => input.uint(1))],
  ["M", "BININT2", pushes((input) => input.uint(2))],
  [0x8a, "LONG1", pushes((input) => input.long(1))],
  [0x8b, "LONG4", pushes((input) => input.long(4))],
  ["F", "FLOAT", pushes((input) => Number(input.line()))],
  ["G", "BINFLOAT", pushes((input) => input.float64())],
  ["S", "STRING", pushes((input) => input.line().replace(/^(['"])(.*)\1$/, "$2"))],
  ["T", "BINSTRING", pushes((input) => input.counted(4))], // Python 2's str of 256 bytes and more: an array's values
  ["U", "SHORT_BINSTRING", pushes((input) => input.latin1(1))],
  ["V", "UNICODE", pushes((input) => input.line())],
  [0x8c, "SHORT_BINUNICODE", pushes((input) => input.text(1))],
  ["X", "BINUNICODE", pushes((input) => input.text(4))],
  [0x8d, "BINUNICODE8", pushes((input) => input.text(8))],
  ["C", "SHORT_BINBYTES", pushes((input) => input.counted(1))],
  ["B", "BINBYTES", pushes((input) => input.counted(4))],
  [0x8e, "BINBYTES8", pushes((input) => input.counted(8))],
  [0x96, "BYTEARRAY8", pushes((input) => input.counted(8))],

  ["]", "EMPTY_LIST", pushes(() => [])],
  [")", "EMPTY_TUPLE", pushes(() => [])],
  [0x8f, "EMPTY_SET", pushes(() => [])],
  ["}", "EMPTY_DICT", (machine) => machine.push(machine.newDict())],
  [0x85, "TUPLE1", collects(1)],
  [0x86, "TUPLE2", collects(2)],
  [0x87, "TUPLE3", collects(3)],
  ["(", "MARK", (machine) => machine.mark()],
  ["t", "TUPLE", (machine) => machine.push(machine.takeMarked())],
  ["l", "LIST", (machine) => machine.push(machine.takeMarked())],
  [0x91, "FROZENSET", (machine) => machine.push(machine.takeMarked())],
  ["d", "DICT", (machine) => machine.push(machine.fill(machine.newDict(), machine.takeMarked()))],
  ["a", "APPEND", (machine) => machine.append(machine.take(1))],
  ["e", "APPENDS", (machine) => machine.append(machine.takeMarked())],
  [0x90, "ADDITEMS", (machine) => machine.append(machine.takeMarked())],
  ["s", "SETITEM", (machine) => machine.set(machine.take(2))],
  ["u", "SETITEMS", (machine) => machine.set(machine.takeMarked())],

  ["0", "POP", (machine) => machine.pop()],
  ["1", "POP_MARK", (machine) => machine.takeMarked()],
  ["2", "DUP", (machine) => machine.push(machine.top())],
  ["g", "GET", (machine, input) => machine.recall(Number(input.decimal()))],
  ["h", "BINGET", (machine, input) => machine.recall(input.uint(1))],
  ["j", "LONG_BINGET", (machine, input) => machine.recall(input.uint(4))],
  ["p", "PUT", (machine, input) => machine.memorize(Number(input.decimal()))],
  ["q", "BINPUT", (machine, input) => machine.memorize(input.uint(1))],
  ["r", "LONG_BINPUT", (machine, input) => machine.memorize(input.uint(4))],
  [0x94, "MEMOIZE", (machine) => machine.memorize(machine.memo.size)],

  ["c", "GLOBAL", (machine, input) => machine.push(machine.name(input.line(), input.line()))],
  [0x93, "STACK_GLOBAL", (machine) => machine.push(machine.name(...(machine.take(2) as [PickleValue, PickleValue])))],
  [0x82, "EXT1", extension(1)],
  [0x83, "EXT2", extension(2)],
  [0x84, "EXT4", extension(4)],
  ["P", "PERSID", pushes((input) => new PersistentId(input.line()))],
  ["Q", "BINPERSID", (machine) => machine.push(new PersistentId(machine.pop()))],
  [0x97, "NEXT_BUFFER", (machine) => machine.push(machine.name("pickle", "buffer"))],
  [0x98, "READONLY_BUFFER", () => {}],

  ["R", "REDUCE", (machine) => calls(machine, ...(machine.take(2) as [PickleValue, PickleValue]))],
  [0x81, "NEWOBJ", (machine) => calls(machine, ...(machine.take(2) as [PickleValue, PickleValue]))],
  [
    0x92,
    "NEWOBJ_EX",
    (machine) => {
      const [callee, args, keywords] = machine.take(3);
      calls(machine, callee, [args, keywords]);
    },
  ],
  ["i", "INST", (machine, input) => calls(machine, machine.name(input.line(), input.line()), machine.takeMarked())],
  [
    "o",
    "OBJ",
    (machine, input) => {
      const [callee, ...args] = machine.takeMarked();
      if (callee === undefined) input.fail("it makes an object of nothing");
      calls(machine, callee, args);
    },
  ],
  ["b", "BUILD", (machine) => machine.build(machine.pop())],
];

const opcodes: ReadonlyMap<number, readonly [string, Step]> = new Map(
  table.map(([code, name, step]) => [typeof code === "string" ? code.charCodeAt(0) : code, [name, step]]),
);
