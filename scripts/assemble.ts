/** WebAssembly text -> its binary in base64. */
import wabt from "wabt";

export async function assemble(text: string): Promise<string> {
  const { parseWat } = await wabt();
  const { buffer } = parseWat("module.wat", text, { simd: true }).toBinary({});
  return Buffer.from(buffer).toString("base64");
}
