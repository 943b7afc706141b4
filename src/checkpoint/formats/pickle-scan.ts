/** What the pickles of a file would do to whoever unpickled them, read as data. For people who want to know before they load it. */
import { readBytes, withFile } from "../../files/files.ts";
import { TbarError } from "../../tensor/error.ts";
import { quote } from "./header-json.ts";
import { parsePickle } from "./pickle.ts";
import { nothingSeen, type PickleSeen, type PickleValue } from "./pickle-values.ts";
import { readTorchArchive, readTorchEntry } from "./torch-file.ts";
import { isKnownName } from "./torch-names.ts";

export interface PickleReport {
  /** The entry of the archive, or "pickle 1" and so on of a file without one. */
  readonly where: string;
  /** "module name" of all it would import; `known` are those that weights need. */
  readonly names: readonly { readonly name: string; readonly known: boolean }[];
  /** How often each opcode stands there. */
  readonly opcodes: Readonly<Record<string, number>>;
  /** What weights do not need, in words. Empty for a file as torch.save writes it. */
  readonly suspicious: readonly string[];
}

/** Opcodes that call or look up something, and that neither torch.save nor torch.jit.save writes. */
const UNUSUAL = ["INST", "OBJ", "NEWOBJ_EX", "PERSID", "EXT1", "EXT2", "EXT4", "NEXT_BUFFER", "READONLY_BUFFER"];

const MAX_READ = 4 * 2 ** 20;
const MAX_PICKLES = 16;
/** The first of the five pickles in files of PyTorch before 1.6. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;

/** The pickles of a PyTorch archive: data.pkl, and those beside it. Throws `bad-input` when the archive itself is unsound. */
export async function scanArchive(path: string): Promise<PickleReport[]> {
  return withFile(path, async (file) => {
    const { entries } = await readTorchArchive(file, path);
    const pickles = [...entries].filter(([name]) => name.endsWith(".pkl") && !name.startsWith("code/"));
    const reports: PickleReport[] = [];
    for (const [name, entry] of pickles.slice(0, MAX_PICKLES)) {
      const seen = nothingSeen();
      const broken = await reasonOf(async () => {
        const bytes = await readTorchEntry(file, entry, path);
        const { end } = parsePickle(bytes, fail, { seen });
        if (end < bytes.length) fail(`${bytes.length - end} bytes follow its end`);
      });
      reports.push(report(name, seen, broken));
    }
    return reports;
  });
}

/** The pickles at the start of a file: one, or the five of PyTorch before 1.6. */
export async function scanBarePickles(
  path: string,
): Promise<{ readonly legacy: boolean; readonly reports: PickleReport[] }> {
  return withFile(path, async (file) => {
    const { size } = await file.stat();
    const bytes = await readBytes(file, 0, Math.min(size, MAX_READ), path);
    const reports: PickleReport[] = [];
    let start = 0;
    let legacy = false;
    for (let n = 1; n === 1 || (legacy && n <= 5); n++) {
      const seen = nothingSeen();
      let found: { value: PickleValue; end: number } | undefined;
      const broken = await reasonOf(async () => {
        found = parsePickle(bytes, fail, { start, seen });
      });
      reports.push(report(`pickle ${n}`, seen, broken));
      if (found === undefined) break;
      legacy ||= found.value === LEGACY_MAGIC;
      start = found.end;
    }
    return { legacy, reports };
  });
}

function report(where: string, { names, opcodes }: PickleSeen, broken: string | undefined): PickleReport {
  const listed = [...names].map((name) => ({ name, known: isKnownName(name) }));
  const suspicious = [
    ...listed.filter(({ known }) => !known).map(({ name }) => `${where} would import ${quote(name.replace(" ", "."))}`),
    ...UNUSUAL.filter((name) => opcodes.has(name)).map(
      (name) => `${where} has the opcode ${name}, which torch never writes (${opcodes.get(name)} times)`,
    ),
    ...(broken === undefined ? [] : [`${where} is broken: ${broken}`]),
  ];
  return { where, names: listed, opcodes: Object.fromEntries(opcodes), suspicious };
}

class Broken extends Error {}

function fail(reason: string): never {
  throw new Broken(reason);
}

async function reasonOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof Broken || error instanceof TbarError) return error.message;
    throw error;
  }
}
