/** What is to be found in a file of weights without running the model: the second half of a scan's answer. */
import { basename, relative, resolve, sep } from "node:path";
import { type CodeFacts, type Finding, findingOf } from "../../results/findings.ts";
import type { InspectResult } from "../../results/inspect.ts";
import { listed, printable } from "../../tensor/printable.ts";
import { inspect } from "../inspect/run.ts";
import { isImageEncoder } from "./image-only.ts";
import type { ScanSpec } from "./spec.ts";

export interface Code extends CodeFacts {
  readonly sha256: string;
  /** The weights' file (of several the index), relative to the working folder; its name where it lies elsewhere. */
  readonly artifact: string;
  /** It has no text tower. */
  readonly imageOnly: boolean;
}

/** Looks at the file as tbar inspect does; of what its metadata declare nothing is used. Throws `bad-input` where there is no file. */
export async function codeOf(spec: ScanSpec): Promise<Code> {
  const { model, ignoreTensors, prefix, activation } = spec;
  const seen = await inspect({ path: model, ignoreTensors, prefix, activation });
  const { sha256, path, official, refused } = seen;
  const imageOnly = refused !== undefined && isImageEncoder(seen.tensors.map(({ name }) => name));
  return {
    sha256,
    artifact: artifactOf(path),
    imageOnly,
    ...(official && { official }),
    ...(refused && { refused }),
    findings: findingsOf(seen),
  };
}

function artifactOf(path: string): string {
  const within = relative(process.cwd(), resolve(path));
  const isElsewhere = within === "" || resolve(within) === within || within.startsWith("..");
  return isElsewhere ? basename(path) : within.split(sep).join("/");
}

function findingsOf({ sha256, official, pickles, suspicious, script, ignored = [] }: InspectResult): Finding[] {
  const inPickles = new Set(pickles.flatMap((one) => one.suspicious));
  const each = (rule: "tbar/pickle" | "tbar/other-reading", messages: readonly string[]) =>
    messages.map((message) => findingOf(rule, sha256, { message, about: message }));
  const found = [
    ...each("tbar/pickle", [...inPickles]),
    ...each("tbar/other-reading", suspicious.filter((one) => !inPickles.has(one))), // biome-ignore format: one line
  ];
  if (script && official === undefined) {
    const message = "it is a TorchScript archive: code lies beside the weights, and torch.jit.load would run it";
    found.push(findingOf("tbar/script", sha256, { message }));
  }
  if (ignored.length > 0) {
    const names = listed(ignored.slice(0, 6).map((name) => printable(name)), 5); // biome-ignore format: one line
    const message = `${ignored.length} ${ignored.length === 1 ? "tensor was" : "tensors were"} left out on request and not scanned: ${names}`;
    found.push(findingOf("tbar/unknown-tensors", sha256, { message, about: ignored.join("\n") }));
  }
  return found;
}
