/** Before all tests: ONNX Runtime is in place, so that the test processes do not each fetch it where npm has left it out (npm 10 does). */
import { onnxRuntimePackage } from "../src/runtime/onnxruntime-package.ts";

export default async function setup(): Promise<void> {
  await onnxRuntimePackage((text) => process.stderr.write(text));
}
