/** Can a device be used here? Asked of a process of its own: what drivers and libraries print there, or a crash, stays there. */
import { spawn } from "node:child_process";
import { input } from "../graph/node.ts";
import { add } from "../graph/ops/index.ts";
import { emit } from "../onnx/emit.ts";

const program = `
const [folder, device, model] = process.argv.slice(1);
require(folder).InferenceSession.create(Buffer.from(model, "base64"), { executionProviders: [device], logSeverityLevel: 4 }).then(
  () => process.exit(0),
  (error) => process.send(String(error?.message ?? error), () => process.exit(1)),
);`;

/** Why a session cannot be opened on it by the onnxruntime-node in `folder`, in a few words; undefined where it can. `env` is added to the environment. */
export function deviceTrouble(
  folder: string,
  device: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  const x = input("x", [1]);
  const model = Buffer.from(emit({ y: add(x, x) })).toString("base64");
  return new Promise((resolve) => {
    const stdio = ["ignore", "ignore", "ignore", "ipc"] as const;
    const child = spawn(process.execPath, ["-e", program, folder, device, model], {
      stdio: [...stdio],
      env: { ...process.env, ...env },
    });
    let said: string | undefined;
    child.on("message", (message) => {
      said = ortReason(String(message));
    });
    child.on("error", ({ message }) => resolve(message));
    child.on("close", (code, signal) => {
      resolve(code === 0 ? undefined : (said ?? `ONNX Runtime ended with ${signal ?? `status ${code}`}`));
    });
  });
}

/** What ONNX Runtime means, without the places in its sources where it says so: a message's first line. */
export function ortReason(message: string): string {
  const [line] = message.trim().split("\n", 1);
  return line
    .replace(/\/onnxruntime_src\/\S+:\d+ (?:.*? was false\. |.*?[)>] (?:const )?(?=[A-Z]))?/g, "")
    .replace(/^\w*Ort\w+: /, "")
    .replace(/^\[ONNXRuntimeError\] : \d+ : \w+ : /, "")
    .trim();
}
