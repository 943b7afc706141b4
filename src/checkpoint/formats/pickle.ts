/**
 * Python pickles as data (protocols 0 to 5; opcodes as in CPython's pickletools). Nothing a pickle names is looked up and nothing
 * it calls is called: names become `PickleName`, calls `PickleCall`, and whoever asked decides which of them mean something.
 * Memory and time are bounded: lengths by the bytes that are there, values by the number of opcodes.
 */

import { type PickleBytes, type PickleInput, pickleInput } from "./pickle-input.ts";
import { PickleMachine } from "./pickle-machine.ts";
import { nothingSeen, PersistentId, type PickleSeen, type PickleValue } from "./pickle-values.ts";

/** Twice what the training checkpoint of the largest CLIP takes: 27 for a tensor, of which Adam keeps two more. */
const MAX_OPCODES = 200_000;
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

/**
 * The value of the pickle that begins at `start`, and where it ends. `fail` is called with the reason, and must throw, where the
 * bytes are no pickle or ask for too much.
 */
export function parsePickle(
  bytes: PickleBytes,
  fail: (reason: string) => never,
  { start = 0, seen = nothingSeen(), most = MAX_OPCODES, lenient = false }: PickleOptions = {},
): { readonly value: PickleValue; readonly end: number } {
  const input = pickleInput(bytes, start, fail, lenient);
  const machine = new PickleMachine(fail, seen.names, lenient);
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

type Step = (machine: PickleMachine, input: PickleInput) => void;

type Argument = (input: PickleInput) => PickleValue;

const pushes = (value: Argument): Step => (machine, input) => machine.push(value(input)); // biome-ignore format: one line
const collects = (count: number): Step => (machine) => machine.push(machine.take(count)); // biome-ignore format: one line
const calls: Step = (machine) => {
  const [callee, args] = machine.take(2);
  machine.call(callee, args);
};
const callsWithKeywords: Step = (machine) => {
  const [callee, args, keywords] = machine.take(3);
  machine.call(callee, [args, keywords]);
};
const makesObject: Step = (machine, input) => {
  const [callee, ...args] = machine.takeMarked();
  if (callee === undefined) input.fail("it makes an object of nothing");
  machine.call(callee, args);
};
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

  ["R", "REDUCE", calls],
  [0x81, "NEWOBJ", calls],
  [0x92, "NEWOBJ_EX", callsWithKeywords],
  ["i", "INST", (machine, input) => machine.call(machine.name(input.line(), input.line()), machine.takeMarked())],
  ["o", "OBJ", makesObject],
  ["b", "BUILD", (machine) => machine.build(machine.pop())],
];

const opcodes: ReadonlyMap<number, readonly [string, Step]> = new Map(
  table.map(([code, name, step]) => [typeof code === "string" ? code.charCodeAt(0) : code, [name, step]]),
);
