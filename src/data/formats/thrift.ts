/**
 * A pass over Thrift's compact protocol, in which Parquet keeps its footer and page headers, before hyparquet builds objects of it: that
 * trusts the sizes of lists and the length of numbers, so that a few bytes ask for gigabytes.
 */

const [stop, yes, no, byte, double, binary, list, struct] = [0, 1, 2, 3, 7, 8, 9, 12];
const integers = new Set([4, 5, 6]);

/** Values of any kind; a footer of 1,000 row groups with 30 columns has 600,000. */
const maxValues = 2_000_000;
const maxDepth = 32;

/** How many bytes the struct at the start takes. Throws Error when it does not end within them, or is larger or deeper than files that somebody wrote to be read. */
export function thriftLength(bytes: Uint8Array): number {
  let at = 0;
  let values = 0;
  const next = () => (at < bytes.length ? bytes[at++] : fail("it ends in the middle of a value"));
  const skip = (count: number) => (count <= bytes.length - at ? (at += count) : fail(`a string of ${count} bytes`));
  const varint = () => {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const part = next();
      value += (part & 0x7f) * 2 ** (7 * i);
      if (part < 0x80) return value;
    }
    return fail("a number of more than ten bytes");
  };
  const element = (type: number, depth: number, inList: boolean): void => {
    if (++values > maxValues) fail(`more than ${maxValues} values`);
    if (type === yes || type === no) at += Number(inList);
    else if (type === byte) skip(1);
    else if (integers.has(type)) varint();
    else if (type === double) skip(8);
    else if (type === binary) skip(varint());
    else if (type === list) elements(depth + 1);
    else if (type === struct) fields(depth + 1);
    else fail(`a value of type ${type}`);
  };
  const elements = (depth: number) => {
    if (depth > maxDepth) fail(`nested more than ${maxDepth} deep`);
    const head = next();
    const size = head >> 4 === 15 ? varint() : head >> 4;
    if (size > bytes.length - at) fail(`a list of ${size} in ${bytes.length - at} bytes`);
    for (let i = 0; i < size; i++) element(head & 15, depth, true);
  };
  const fields = (depth: number) => {
    if (depth > maxDepth) fail(`nested more than ${maxDepth} deep`);
    for (let head = next(); (head & 15) !== stop; head = next()) {
      if (head >> 4 === 0) varint(); // the field's number, where it is not the last one's plus a few
      element(head & 15, depth, false);
    }
  };
  fields(0);
  return at;
}

function fail(reason: string): never {
  throw new Error(reason);
}
