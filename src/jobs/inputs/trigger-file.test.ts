import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTrigger } from "../../attacks/index.ts";
import { tensor } from "../../tensor/tensor.ts";
import { readTriggerFile, triggerFiles } from "./trigger-file.ts";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-trigger-"));
  await mkdir(at("beside"));
  await sharp({ create: { width: 3, height: 3, channels: 3, background: "#00ff00" } }).toFile(at("logo.PNG"));
});
afterAll(() => rm(folder, { recursive: true }));

const black = () => tensor([1, 3, 8, 8]);
async function write(name: string, content: unknown) {
  await writeFile(at(name), JSON.stringify(content));
  return at(name);
}

describe("trigger.json", () => {
  it("written and read again: the same trigger and target", async () => {
    const { spec } = makeTrigger({ kind: "badnet" });
    const { files, implanted } = await triggerFiles({ trigger: { ...spec }, target: "red circle" });
    expect(Object.keys(files)).toEqual(["trigger.json"]);
    expect(JSON.parse(files["trigger.json"] as string)).toEqual({ trigger: spec, target: "red circle" });
    expect(implanted).toEqual({ trigger: spec, target: "red circle" });
    await writeFile(at("again.json"), files["trigger.json"]);
    const read = await readTriggerFile(at("again.json"));
    expect(read).toMatchObject({ trigger: { spec }, target: "red circle" });
  });

  it("takes its pictures along, under names of its own", async () => {
    const { spec, apply } = makeTrigger({ kind: "picture", picture: at("logo.PNG"), mask: at("logo.PNG") } as never);
    const { files, implanted } = await triggerFiles({ trigger: { ...spec }, target: "dog" }, "bad.safetensors.");
    const prefix = "bad.safetensors.trigger";
    expect(Object.keys(files)).toEqual([`${prefix}-picture.png`, `${prefix}-mask.png`, `${prefix}.json`]);
    expect(implanted.trigger).toMatchObject({ picture: `${prefix}-picture.png`, mask: `${prefix}-mask.png` });
    for (const [name, data] of Object.entries(files)) await writeFile(at(`beside/${name}`), data);
    expect(await readFile(at(`beside/${prefix}-picture.png`))).toEqual(await readFile(at("logo.PNG")));
    const { trigger } = await readTriggerFile(at(`beside/${prefix}.json`));
    expect(await trigger.apply(black(), ["a"])).toEqual(await apply(black(), ["a"]));
  });

  it("may be the bare spec", async () => {
    const file = await write("bare.json", { kind: "badnet", size: 4 });
    expect(await readTriggerFile(file)).toMatchObject({
      trigger: { spec: { kind: "badnet", size: 4, place: "random" } },
    });
  });

  it.each([
    ["not a trigger", { size: 4 }, /should hold \{"kind": \.\.\.\}/],
    ["of an unknown kind", { kind: "badnets" }, /unknown attack "badnets"/],
    ["with a picture elsewhere", { kind: "picture", picture: "../logo.PNG" }, /must lie in its own folder/],
    ["with an absolute one", { trigger: { kind: "blended", picture: "/etc/hostname" } }, /must lie in its own folder/],
    [
      "with a mask elsewhere",
      { kind: "picture", picture: "a.png", mask: "x/../../a.png" },
      /must lie in its own folder/,
    ],
  ])("refuses one %s", async (_, content, message) => {
    await expect(readTriggerFile(await write("beside/bad.json", content))).rejects.toThrow(message);
  });

  it("refuses a picture that is a link out of its folder", async () => {
    const file = await write("beside/linked.json", { kind: "picture", picture: "linked.png" });
    await symlink("/etc/hostname", at("beside/linked.png"));
    await expect(readTriggerFile(file)).rejects.toThrow(/must lie in its own folder/);
  });

  it("a picture that is gone cannot be taken along", async () => {
    const trigger = { kind: "picture", picture: at("gone.png") };
    await expect(triggerFiles({ trigger, target: "dog" })).rejects.toThrow(/gone\.png/);
  });
});
