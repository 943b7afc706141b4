/** tbar scan as a pipeline meets it: exit codes, files, accepted findings, and what it says of input that is no good. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { writePico } from "../../test/pico.ts";
import { tbar } from "../../test/terminal.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const few = ["--quick", "--fit", "16", "--held", "32", "--threads", "1", "--quiet"];
/** One detector, the quickest. */
const one = ["--detector", "sine", ...few.slice(1)];
const scan = (model: string, ...more: string[]) => tbar(["scan", "--model", at(model), ...more]);
const world = ["--data", "shapes:texture"];

/** A value of all of a tensor, in place. */
async function fill(model: string, name: string, value: number): Promise<void> {
  const path = join(at(model), "model.safetensors");
  const file = await readFile(path);
  const length = Number(file.readBigUInt64LE(0));
  const [from, to] = JSON.parse(file.toString("utf8", 8, 8 + length))[name].data_offsets;
  for (let i = from; i < to; i += 4) file.writeFloatLE(value * (i % 8 === 0 ? 1 : -1), 8 + length + i);
  await writeFile(path, file);
}

/** Leaves the image tower of a model alone, as CLIPVisionModelWithProjection saves it; its settings too where they are `flat`. */
async function blind(model: string, flat: boolean): Promise<void> {
  const path = join(at(model), "model.safetensors");
  const file = await readFile(path);
  const length = Number(file.readBigUInt64LE(0));
  const parts: Buffer[] = [];
  const kept: Record<string, unknown> = {};
  let end = 0;
  for (const [name, entry] of Object.entries(JSON.parse(file.toString("utf8", 8, 8 + length)))) {
    if (!name.startsWith("vis")) continue;
    const [from, to] = (entry as { data_offsets: number[] }).data_offsets;
    parts.push(file.subarray(8 + length + from, 8 + length + to));
    kept[name] = { ...(entry as object), data_offsets: [end, end + to - from] };
    end += to - from;
  }
  const header = Buffer.from(JSON.stringify(kept).padEnd(8 * Math.ceil(JSON.stringify(kept).length / 8)));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  await writeFile(path, Buffer.concat([size, header, ...parts]));
  if (!flat) return;
  const config = join(at(model), "config.json");
  const { vision_config } = JSON.parse(await readFile(config, "utf8"));
  await writeFile(config, JSON.stringify({ ...vision_config, architectures: ["CLIPVisionModelWithProjection"] }));
}

/** Two classes of images, each of one pixel's noise or all alike. */
async function photos(name: string, count: number, side: number, isAlike = false): Promise<void> {
  for (const [c, label] of ["red circle", "blue star"].entries()) {
    await mkdir(join(at(name), label), { recursive: true });
    for (let i = 0; i < count; i++) {
      const pixels = Uint8Array.from({ length: 3 * side * side }, (_, k) => (isAlike ? 90 : (k * (7 + i) + 91 * c) % 256));
      const png = sharp(pixels, { raw: { width: side, height: side, channels: 3 } }).png();
      await writeFile(join(at(name), label, `${i}.png`), await png.toBuffer());
    }
  } // biome-ignore format: one line
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-scan-"));
  await writePico(at("pico"));
  for (const name of ["speechless", "broken", "endless", "blind-0", "blind-1"])
    await cp(at("pico"), at(name), { recursive: true });
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) await rm(join(at("speechless"), name));
  await fill("broken", "vision_model.post_layernorm.weight", Number.NaN);
  for (const flat of [0, 1]) await blind(`blind-${flat}`, flat === 1);
  await fill("endless", "visual_projection.weight", 3e38);
  await photos("photos", 30, 20);
  await photos("small", 30, 8);
  await photos("few", 12, 20);
  await photos("alike", 30, 20, true);
  return () => rm(folder, { recursive: true });
});

describe("exit codes and files", () => {
  test("not calibrated: 3, all detectors, findings as JSON, SARIF and a page", async () => {
    const files = ["--sarif", at("o.sarif"), "--report", at("o.html")];
    const { code, out, err } = await scan("pico", ...world, ...few, "--json", ...files);
    expect({ code, err }).toEqual({ code: 3, err: "" });
    const result = JSON.parse(out);
    expect(result).toMatchObject({
      verdict: "inconclusive",
      code: { findings: [] },
      findings: [{ rule: "tbar/inconclusive" }],
    });
    expect(result.examples[0].images[0].before[0].probability).toBeGreaterThan(0);
    const [run] = JSON.parse(await readFile(at("o.sarif"), "utf8")).runs;
    expect(run.results.map(({ ruleId }: { ruleId: string }) => ruleId)).toEqual(["tbar/inconclusive"]);
    expect(run.results[0].partialFingerprints["tbar/v1"]).toBe(result.findings[0].fingerprint);
    const page = await readFile(at("o.html"), "utf8");
    expect(parseHTML(page).document.querySelector(".stamp")?.textContent).toBe("Inconclusive");
    await writeFile(at("o.json"), out);
    await tbar(["report", at("o.json"), "--out", at("again.html")]);
    expect(await readFile(at("again.html"), "utf8")).toBe(page);
  });

  test("with --base what compares with it runs too; without, it is refused by name and left out of the others", async () => {
    const asked = [...world, "--detector", "amplified-patch", ...few.slice(1)];
    const { code, err } = await scan("pico", ...asked);
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringMatching(/amplified-patch compares with .*--base MODEL/),
    });
    const { detectors } = JSON.parse((await scan("pico", ...asked, "--base", at("pico"), "--json")).out);
    expect(detectors.map(({ name }: { name: string }) => name)).toEqual(["amplified-patch"]);
    expect(detectors[0].facts).toMatchObject({ k: 2, agreement: 1 });
  });

  test("--fail-on and --baseline turn it into 0, and say why", async () => {
    const never = await scan("pico", ...world, ...one, "--fail-on", "backdoored");
    expect([never.code, never.out.split(" ")[0]]).toEqual([0, "INCONCLUSIVE"]);
    const { findings } = JSON.parse((await scan("pico", ...world, ...one, "--json")).out);
    const reason = "scanned elsewhere";
    await writeFile(at("base.json"), JSON.stringify({ accepted: [{ fingerprint: findings[0].fingerprint, reason }] }));
    const { code, out } = await scan("pico", ...world, ...one, "--baseline", at("base.json"));
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(`tbar/inconclusive: ${reason}`) });
  });

  test("a pickle that would run something is 1, though its weights are never opened", async () => {
    const evil = Buffer.from("\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.", "latin1");
    await writeFile(at("evil.bin"), evil);
    const { code, out } = await scan("evil.bin", ...world, ...few);
    expect({ code, out }).toEqual({ code: 1, out: expect.stringMatching(/tbar\/pickle .*would import "os.system"/) });
  });

  test("tbar.yaml of the working folder holds the usual options, and that is said", async () => {
    const before = process.cwd();
    await mkdir(at("work"));
    await writeFile(at("work/tbar.yaml"), "data: shapes:texture\ndetectors: [sine]\nsizes: { fit: 16, held: 32 }\nfailOn: never\n");
    process.chdir(at("work"));
    try {
      const { code, err } = await scan("pico", "--quiet", "--threads", "1");
      expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining("options from tbar.yaml") });
      expect((await scan("pico", "--quiet", "--threads", "1", "--fail-on", "inconclusive")).code).toBe(3);
    } finally {
      process.chdir(before);
    }
  }); // biome-ignore format: one line
});

test("help lists the exit codes of a scan, not those of a cleaning", async () => {
  const { out } = await tbar(["scan", "--help"]);
  expect(out).toMatch(/0 {4}no evidence[\s\S]*1 {4}backdoored[\s\S]*3 {4}inconclusive[\s\S]*2 {4}bad input/);
  expect(out).not.toContain("not verified");
});

describe("input that is no good, and what is said of it", () => {
  test.each([
    ["too few images", "pico", () => ["--data", at("few")], /few leaves \d+ images for --fit.*|few leaves \d+ images for --held.*16 to fit triggers on and 32 others.*lucky/],
    ["no class names", "pico", () => ["--data", at("photos/red circle")], /no class names; give them with --classes/],
    ["images that are all one", "pico", () => ["--data", at("alike")], /one and the same/],
    ["a base of another architecture", "pico", () => [...world, "--base", "shapes"], /--base shapes is of another architecture \(ViT 56\/8.*it cannot be what/],
    ["weights that are NaN", "broken", () => world, /holds NaN/],
    ["embeddings that are no numbers", "endless", () => world, /embeddings of images are no finite numbers.*too large to compute with/],
  ])("%s", async (_, model, data, why) => {
    const { code, err } = await scan(model, ...data(), ...few);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(why) });
  }); // biome-ignore format: a table

  test("a model in ONNX: refused with the reason", async () => {
    await tbar(["export", "--model", at("pico"), "--out", at("onnx"), "--threads", "1", "--quiet"]);
    const { code, err } = await scan("onnx", ...world, ...few);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(/in ONNX.*gradients.*scan the checkpoint/) });
  });

  test("a model that reads no texts is scanned by what needs none, without a verdict", async () => {
    const { code, out } = await scan("speechless", ...world, ...few);
    expect({ code, out }).toEqual({ code: 3, out: expect.stringMatching(/INCONCLUSIVE.*\n.*no tokenizer.*no verdict/) });
  }); // biome-ignore format: one line

  test.each(["blind-0", "blind-1"])("an image tower alone is scanned by what needs no class names: %s", async (model) => {
    const asked = ["--detector", "weight-statistics", ...few.slice(1), "--json"];
    const { code, out } = await scan(model, ...world, ...asked);
    const { because, detectors, model: found } = JSON.parse(out);
    expect({ code, because }).toEqual({ code: 3, because: [expect.stringMatching(/image encoder alone.*no verdict/)] });
    expect(detectors[0].statistic).toBeGreaterThan(0);
    const whole = JSON.parse((await scan("pico", ...world, ...asked)).out);
    expect(detectors[0].statistic).toBe(whole.detectors[0].statistic);
    expect(found.parameters).toBeLessThan(whole.model.parameters);
    expect(found.sha256).toMatch(/^[0-9a-f]{64}$/);
  }); // biome-ignore format: one line

  test("images smaller than the model's input are enlarged, and doubtful", async () => {
    const small = await scan("pico", "--data", at("small"), ...one);
    expect(small.out).toMatch(/Warning: 48 of 48 images are smaller than the 16 x 16 pixels/);
    expect((await scan("pico", "--data", at("photos"), ...one)).out).not.toContain("smaller than");
  });
});
