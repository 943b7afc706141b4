/** A calibration: each model of the list is scanned, or its scan read; then all are judged. */
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { readCheckpoint } from "../../checkpoint/clip-folder.ts";
import { findWeights } from "../../checkpoint/find-weights.ts";
import { writeFileAtomic } from "../../files/atomic.ts";
import { isFile, parseAs, readJson } from "../../files/files.ts";
import { makeFolder } from "../../files/folder.ts";
import { readYaml } from "../../files/yaml.ts";
import { made } from "../../results/base.ts";
import { readResult } from "../../results/read.ts";
import { type ScanResult, scanResult } from "../../results/scan.ts";
import type { ScanCalibration } from "../../results/scan-calibration.ts";
import { badInput } from "../../tensor/error.ts";
import type { Context } from "../context.ts";
import { modelPath } from "../inputs/names.ts";
import { comparesWithBase } from "../scan/evidence.ts";
import { scan } from "../scan/run.ts";
import { scanSpec } from "../scan/spec.ts";
import { calibrate, halves, type Known } from "./calibrate.ts";
import type { CalibrateSpec } from "./spec.ts";

const entry = z
  .strictObject({
    model: z.string().optional(),
    scan: z.string().optional(),
    base: z.string().optional(),
    label: z.enum(["clean", "backdoored"]),
    lineage: z.string(),
    attack: z.string().optional(),
    target: z.string().optional(),
  })
  .refine(({ model, scan }) => (model === undefined) !== (scan === undefined), "either model or scan")
  .refine(({ scan, base }) => scan === undefined || base === undefined, "base goes with model: a scan has had its own");
const list = z.strictObject({ models: z.array(entry).min(1).max(10_000) });

const limits = { bytes: 16 * 2 ** 20, values: 2e6, keys: 1e6 };

export async function scanCalibrate(spec: CalibrateSpec, context: Context): Promise<ScanCalibration> {
  const { models } = parseAs(
    list,
    (await readYaml(spec.models, { bytes: 2 ** 22, aliases: 100, merge: false })).value,
    spec.models,
  );
  await checkList(models, spec.models);
  const known: (Known & { readonly scan: ScanResult })[] = [];
  for (const [i, { model, scan, base, ...told }] of models.entries()) {
    context.signal?.throwIfAborted();
    context.progress.stage(`model ${i + 1} of ${models.length}`);
    const found =
      scan === undefined
        ? await scanned({ model: model as string, base }, spec, context)
        : await readScan(besides(spec.models, scan));
    known.push({ ...told, ...kindOf(told), scan: found });
  }
  const [{ scan: first }] = known;
  for (const { scan } of known) checkAlike(scan, first);
  const result: ScanCalibration = {
    ...made("scan-calibration", 1, context.command),
    name: spec.name ?? basename(spec.models).replace(/\.\w+$/, ""),
    family: first.model.architecture,
    level: first.level,
    images: { fit: first.data.fit, held: first.data.held },
    classes: first.data.classes,
    ...calibrate(known),
  };
  await writeFileAtomic(spec.out, `${JSON.stringify(result, null, 2)}\n`, { force: spec.force, set: context.set });
  return result;
}

type Entry = z.output<typeof entry>;

const kindOf = ({ label }: Pick<Entry, "label">) => ({ isBackdoored: label === "backdoored" });
const besides = (list: string, path: string) => resolve(dirname(list), path);

/** What can be known before hours of scans: throws `bad-input` on files that are not there, and where there are too few models of a kind. */
async function checkList(models: readonly Entry[], list: string): Promise<void> {
  halves(models.map((one) => ({ ...one, ...kindOf(one) })));
  for (const { model, base, scan } of models) {
    for (const path of [model, base]) if (path !== undefined) await findWeights(modelPath(path));
    if (model !== undefined) continue;
    if (!(await isFile(besides(list, scan as string)))) throw badInput(`${list}: there is no file ${scan}`);
  }
}

/** The scan of a model: kept under the hashes of its weights' file and its base's where there is a folder for it. */
async function scanned(
  compared: { readonly model: string; readonly base?: string },
  { models: _, name: __, out: ___, force: ____, state, ...asked }: CalibrateSpec,
  context: Context,
): Promise<ScanResult> {
  const hashes: string[] = [];
  for (const path of [compared.model, compared.base])
    if (path !== undefined) hashes.push(await (await readCheckpoint(modelPath(path))).sha256());
  const kept = state && join(state, `${hashes.join("-")}.json`);
  if (kept !== undefined && (await isFile(kept))) return readScan(kept);
  const result = await scan(scanSpec.parse({ ...asked, ...compared, quick: true }), { ...context, set: undefined });
  if (kept !== undefined) {
    await makeFolder(dirname(kept));
    await writeFileAtomic(kept, `${JSON.stringify(result)}\n`, { force: true });
  }
  return result;
}

const readScan = async (path: string): Promise<ScanResult> =>
  readResult(scanResult, await readJson(path, limits), path);

/** Throws `bad-input` where scans of one calibration were made of other architectures, or in other ways. */
function checkAlike(scan: ScanResult, first: ScanResult): void {
  if (scan.leftOut !== undefined)
    throw badInput(
      `${scan.model.path} was scanned with --stop-early, and ${scan.leftOut.join(", ")} did not run: a calibration weighs whole scans; scan it again without`,
    );
  const hasBase = ({ detectors }: ScanResult) => detectors.some(comparesWithBase);
  const say = (one: ScanResult) =>
    `${one.model.architecture}, ${one.level}, ${one.data.classes} classes, ${one.data.fit} + ${one.data.held} images, ${hasBase(one) ? "with" : "without"} a base`;
  if (say(scan) === say(first)) return;
  throw badInput(
    `${scan.model.path} was scanned as ${say(scan)} and ${first.model.path} as ${say(first)}: a calibration is of one architecture, scanned in one way`,
  );
}
