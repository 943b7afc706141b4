/** What commands do with outputs that are there already: said before the work, and nothing is lost. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, expect, test } from "vitest";
import { writePico } from "../../test/pico.ts";
import { tbar } from "../../test/terminal.ts";
import { filesWithin } from "../files/tree.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const words = (line: string) => line.split(" ").map((word) => word.replace(/^\.\//, `${folder}/`));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-outputs-"));
  await writePico(at("pico"));
  await writePico(at("other"), 2);
  return () => rm(folder, { recursive: true });
});
afterEach(() => rm(at("out"), { recursive: true, force: true }));

const world = "--data shapes:texture --target striped --threads 1";
const trigger = "--trigger badnet:redraw=false";

test.each([
  ["export", "export --model ./pico --only image --threads 1", ["onnx/mine.txt", "onnx/sub/w.bin"]],
  ["convert", "convert ./pico --to open_clip", ["notes/a.txt"]],
  ["vector apply", "vector apply ./pico ./tau.safetensors", ["model.safetensors.bak"]],
  ["merge", "merge --base ./pico ./other", ["deep/er/file"]],
  ["attack", `attack badnet --model ./pico ${world}`, ["onnx/model.onnx"]],
  ["finetune", "finetune --model ./pico --data shapes:texture --threads 1", ["log/1"]],
  ["clean", `clean --model ./pico ${world} ${trigger}`, ["log/1"]],
  ["pretrain", "pretrain --data shapes --image-size 16 --width 16 --heads 2 --layers 1 --threads 1 --steps 1", ["a/b"]],
])("%s --force removes nothing that it does not write again, at any depth", async (_, line, mine) => {
  if (line.includes("tau")) await tbar(words("vector diff ./pico ./other --out ./tau.safetensors --force"));
  for (const name of mine) {
    await mkdir(join(at("out"), name, ".."), { recursive: true });
    await writeFile(join(at("out"), name), "precious");
  }
  const { code, err } = await tbar(words(`${line} --out ./out --force --quiet`));
  expect(err).toMatch(/holds files that the new folder does not/);
  expect(code).toBe(2);
  expect((await filesWithin(at("out"))).filter((name) => !name.endsWith("/")).sort()).toEqual(mine);
  for (const name of mine) expect(await readFile(join(at("out"), name), "utf8")).toBe("precious");
});

test.each(["vector.safetensors", "receipt.json"])(
  "clean: an OUT.%s that is there is said before the work",
  async (name) => {
    const model = "./pico/model.safetensors";
    await writeFile(at(`c.safetensors.${name}`), "mine");
    const { code, err } = await tbar(words(`clean --model ${model} ${world} ${trigger} --out ./c.safetensors`));
    expect(err).not.toContain("load");
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(`c.safetensors.${name} exists already`) });
    await rm(at(`c.safetensors.${name}`));
  },
);

test("attack: an OUT.trigger.json that is there is said before the work", async () => {
  await writeFile(at("a.safetensors.trigger.json"), "mine");
  const line = `attack badnet --model ./pico/model.safetensors ${world} --out ./a.safetensors`;
  const { code, err } = await tbar(words(line));
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("a.safetensors.trigger.json exists already") });
  expect(err).not.toContain("measure");
});

test("one name for two outputs is refused", async () => {
  const { code, err } = await tbar(words(`clean --model ./pico ${world} ${trigger} --out ./same --report ./same`));
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("is named for two outputs") });
});
