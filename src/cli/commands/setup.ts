/** tbar setup: ONNX Runtime in place before it is needed. */
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { cacheFolder, onnxRuntimePackage, version } from "../../runtime/onnxruntime-package.ts";
import { command } from "../command.ts";
import { outputOptions } from "../frame.ts";
import type { Perform } from "../outcome.ts";

export function setupCommand(perform: Perform): CommandUnknownOpts {
  const made: CommandUnknownOpts = command("setup", {
    summary: "fetch ONNX Runtime now, where npm left it out",
    about:
      `tbar computes with onnxruntime-node ${version}. npm leaves it out where its install script cannot fetch CUDA files from ` +
      "outside the registry; the first job then fetches it, without that script. This does so ahead of time, for images that are built with a " +
      "network and run without one, loads it, and says where it is.",
    notes: `Environment:\n  TBAR_CACHE       where it is kept (now: ${cacheFolder()})`,
    examples: ["tbar setup", "TBAR_CACHE=/opt/tbar tbar setup"],
  });
  outputOptions(made);
  return made.action(() =>
    perform(made.opts(), async () => {
      const folder = await onnxRuntimePackage((text) => process.stderr.write(text));
      const { onnxRuntime } = await import("../../runtime/onnxruntime.ts");
      const { description } = await onnxRuntime();
      return { json: { kind: "setup", runtime: description, folder }, text: `${description}, from ${folder}\n` };
    }),
  );
}
