/** Outputs are checked before an hour is spent on them. */
import { dirname, resolve } from "node:path";
import { badInput } from "../tensor/error.ts";

type Paths = readonly (string | undefined)[];

/** Throws `bad-input` when one of the paths exists, without `force`. Those undefined are skipped. */
export async function refuseOutputs(paths: Paths, force: boolean | undefined): Promise<void> {
  const { refuseExisting } = await import("../checkpoint/atomic.ts");
  for (const path of paths) if (path !== undefined) await refuseExisting(path, { force });
}

/** Throws also when one of them has no folder to lie in, or a name that only a pickle may have. */
export async function checkOutputs(paths: Paths, force: boolean | undefined): Promise<void> {
  await refuseOutputs(paths, force);
  const { isFolder, refusePickleName } = await import("../checkpoint/files.ts");
  for (const path of paths) {
    if (path === undefined) continue;
    refusePickleName(path);
    if (await isFolder(dirname(resolve(path)))) continue;
    throw badInput(`cannot write ${path}: there is no folder ${dirname(path)}`);
  }
}
