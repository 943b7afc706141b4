/** What a Python pickle is read as: plain values, and the names and calls that it would have Python look up and make. */

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
