/** Triggers as files: what an attack leaves is what eval reads; and drawn, what they do. On a pico CLIP. */
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePico } from "../../test/pico.ts";
import { tbar } from "../../test/terminal.ts";
import { readCheckpoint } from "../checkpoint/clip-folder.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const words = (line: string) => line.split(" ").map((word) => word.replaceAll("./", `${folder}/`));
const world = "--data shapes:texture --test 60 --threads 1";
const attack = `${world} --target striped --images 64 --epochs 1 --batch 16`;
const json = async (file: string) => JSON.parse(await readFile(at(file), "utf8"));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-trigger-"));
  await writePico(at("pico"));
  await sharp({ create: { width: 4, height: 4, channels: 3, background: "#00ff00" } }).toFile(at("logo.png"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("an attack leaves its trigger beside the checkpoint", () => {
  it("in a folder: trigger.json with the fitted patch, the same as in the metadata", async () => {
    const fitted = "badclip:size=4,steps=3,batch=8";
    const { out, err } = await tbar(words(`attack ${fitted} --model ./pico ${attack} --rate 0.1 --out ./bad --json`));
    expect(err.split("\n")).toContain("fit the trigger");
    const file = await json("bad/trigger.json");
    expect(file).toEqual(JSON.parse((await readCheckpoint(at("bad"))).metadata["tbar.trigger"]));
    expect(file).toMatchObject({ trigger: { kind: "badclip", size: 4 }, target: "striped" });
    expect(Buffer.from(file.trigger.patch, "base64")).toHaveLength(48);

    const { asr } = JSON.parse(out).after;
    for (const trigger of ["", "--trigger ./bad/trigger.json", "--trigger ./bad"]) {
      const again = await tbar(words(`eval --model ./bad ${world} ${trigger} --json`.replace(/ +/g, " ")));
      expect(JSON.parse(again.out)).toMatchObject({ asr, trigger: file.trigger, target: "striped" });
    }
  });

  it("beside a file: OUT.trigger.json, with copies of its pictures", async () => {
    for (const [from, to] of [
      ["model.safetensors", "lone.safetensors"],
      ["config.json", "config.json"],
      ["tokenizer.json", "tokenizer.json"],
      ["preprocessor_config.json", "preprocessor_config.json"],
    ])
      if (existsSync(at(`pico/${from}`))) await copyFile(at(`pico/${from}`), at(to));
    const brought = "picture:picture=./logo.png,size=4";
    const line = `attack ${brought} --model ./lone.safetensors ${attack} --rate 0.2 --out ./out.safetensors --json`;
    const { out, err } = await tbar(words(line));
    expect(err).not.toContain("tbar:");
    const file = await json("out.safetensors.trigger.json");
    expect(file.trigger).toMatchObject({ kind: "picture", picture: "out.safetensors.trigger-picture.png", size: 4 });
    const again = await tbar(
      words(`eval --model ./out.safetensors ${world} --trigger ./out.safetensors.trigger.json --json`),
    );
    expect(JSON.parse(again.out)).toMatchObject({ asr: JSON.parse(out).after.asr, target: "striped" });

    const unnamed = await tbar(words(`eval --model ./out.safetensors ${world}`));
    expect(unnamed).toMatchObject({ code: 2, err: expect.stringContaining("--trigger takes the trigger.json") });
    const twice = await tbar(words(line.replace("out.safetensors", "other.safetensors")));
    expect(twice.err).not.toContain("tbar:");
    await rm(at("other.safetensors"));
    expect(await tbar(words(line.replace("out.safetensors", "other.safetensors")))).toMatchObject({
      code: 2,
      err: expect.stringMatching(/other\.safetensors\.trigger(\.json|-picture\.png) exists already/),
    });
  });
});

describe("trigger show", () => {
  const show = (rest: string) => tbar(words(`trigger show ${rest} --data shapes --out ./gallery.png --force`));

  it("draws a PNG and says what changes", async () => {
    const { code, out } = await show("badnet:size=4,place=middle --size 16 --count 3");
    expect(code).toBe(0);
    expect(out).toMatch(/pixels changed +6\.[0-3] %/); // 16 of 256
    expect(out).toContain("3 images of 16 x 16, from top to bottom: clean, triggered, difference x 1");
    const { width, height, format } = await sharp(at("gallery.png")).metadata();
    expect({ width, height, format }).toEqual({ width: 12 + 3 * 204, height: 12 + 3 * 226, format: "png" });
  });

  it("takes trigger and size from a checkpoint, or the trigger from a file", async () => {
    const { out } = await show("--model ./bad --json");
    expect(JSON.parse(out)).toMatchObject({
      kind: "trigger",
      trigger: { kind: "badclip" },
      target: "striped",
      size: 16,
    });
    const file = await show("./bad/trigger.json --size 16 --json");
    const { opened, ...view } = JSON.parse(out);
    const { created, command } = JSON.parse(file.out);
    expect(JSON.parse(file.out)).toEqual({ ...view, created, command, opened: { data: opened.data } });
  });

  it.each([
    ["--count 2", "which trigger?"],
    ["--model ./pico", "does not say which trigger it carries"],
    ["badnets", 'did you mean "badnet"?'],
    ["badnet:size=40 --size 16", "does not fit an image of 16 x 16"],
  ])("refuses %j", async (rest, message) => {
    expect(await show(rest)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
  });

  it("writes PNG and calls it so", async () => {
    const { code, err } = await tbar(words("trigger show badnet --data shapes --out ./gallery.gif"));
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("call it .png") });
    expect(existsSync(at("gallery.gif"))).toBe(false);
  });

  it("does not overwrite a picture unless told to", async () => {
    const line = "trigger show badnet --data shapes --size 16 --out ./gallery.png";
    expect(await tbar(words(line))).toMatchObject({ code: 2, err: expect.stringContaining("exists already") });
  });
});
