/** The machine that a pickle is a program for (CPython's pickletools), with bounds; what it would call stays uncalled. */
import { PickleCall, PickleName, type PickleValue } from "./pickle-values.ts";

/** Each takes two hundred bytes. A training checkpoint has one for every parameter. */
const MAX_DICTS = 50_000;
/** Characters of a module's or a name's: joined and kept, and shared strings may be asked for 200,000 times. */
const MAX_PART = 1024;

/** A stack, a stack of marks, a memo. `fail` must throw; `names` is told all that is named; `lenient` as in `parsePickle`. */
export class PickleMachine {
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
    return this.take(1)[0];
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

  call(callee: PickleValue, args: PickleValue): void {
    this.push(new PickleCall(callee, args));
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
