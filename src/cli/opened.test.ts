/** Every command that opens a model or data says what it found: one line on standard error, and in its JSON. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writePico } from "../../test/pico.ts";
import { tbar } from "../../test/terminal.ts";

let folder: string;
const words = (line: string) => line.split(" ").map((word) => word.replace(/^\.\//, `${folder}/`));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-opened-"));
  await writePico(join(folder, "pico"));
  await writePico(join(folder, "other"), 2);
  for (const [i, name] of ["rose", "rose", "mint", "mint", "mint", "stone"].entries()) {
    await mkdir(join(folder, "photos", name), { recursive: true });
    const create = { width: 16, height: 16, channels: 3 as const, background: { r: 40 * i, g: 99, b: 9 } };
    await sharp({ create })
      .png()
      .toFile(join(folder, "photos", name, `${i}.png`));
  }
  await writeFile(join(folder, "photos", ".hidden"), "");
});
afterAll(() => rm(folder, { recursive: true }));

const data = {
  name: "photos",
  images: 6,
  classes: 3,
  least: 1,
  most: 3,
  labels: "folders",
  leftOut: { hidden: 1 },
  notes: [],
};
const model = { name: "pico", preprocess: "shorter side to 16, bicubic, middle 16 x 16", activation: "quick_gelu" };
const line =
  /^data photos: 6 images in 3 classes, 1 to 3 each, labels by folders, left out: 1 hidden.*; model pico: shorter side to 16, bicubic, middle 16 x 16, quick_gelu/m;

test.each([
  "eval --model ./pico --data ./photos --test 2",
  "eval --model ./pico --data ./photos --test 2 --dry-run",
  "embed --model ./pico --data ./photos --out ./e.safetensors",
  "embed --model ./pico --data ./photos --out ./e2.safetensors --dry-run",
  "attack badnet:size=4 --target mint --model ./pico --data ./photos --images 4 --test 2 --rate 0.5 --dry-run",
  "clean --trigger badnet:size=4 --target mint --model ./pico --data ./photos --method plain --rule smallest --limit 0.9 --forget 1 --clean 0 --validation 3 --test 2 --checks 0 --dry-run",
  "finetune --model ./pico --data ./photos --images 4 --test 2 --dry-run",
  "trigger show badnet:size=4 --model ./pico --data ./photos --count 2 --out ./t.png",
])("%s", async (command) => {
  const said = await tbar(words(`${command} --json`));
  expect(said.err).toMatch(line);
  const { opened } = JSON.parse(said.out);
  expect(opened.data.data).toMatchObject(data);
  expect(opened.models).toMatchObject([model]);
  const quiet = await tbar(words(`${command} --json --quiet --force`.replace(/(eval .*|.*--dry-run.*) --force/, "$1")));
  expect([quiet.err, JSON.parse(quiet.out).opened]).toEqual(["", opened]);
});

test("what was opened stands in the JSON of a job that is refused after that", async () => {
  const command =
    "clean --trigger badnet:size=4 --target mint --model ./pico --data ./photos --forget 2 --clean 2 --validation 1 --test 1 --checks 0 --out ./never";
  const { code, err, out } = await tbar(words(`${command} --json`));
  expect(code).toBeGreaterThan(0);
  expect(err).toMatch(line);
  expect(JSON.parse(out)).toMatchObject({
    error: { message: expect.stringContaining("too few images to say") },
    opened: { data: { data }, models: [model] },
  });
});

test.each([
  ["export --model ./pico --out ./onnx --only text", ["pico"]],
  ["convert ./pico --to hf --out ./converted", ["pico"]],
  ["merge ./other --base ./pico --out ./merged --dry-run", ["pico", "other"]],
  ["vector diff ./pico ./other --out ./v.safetensors", ["pico", "other"]],
])("%s", async (command, names) => {
  const said = await tbar(words(`${command} --json`));
  expect(said.err).toMatch(/model pico: shorter side to 16/);
  expect(JSON.parse(said.out).opened.models.map(({ name }: { name: string }) => name)).toEqual(names);
});

test("pretrain has data alone, and says of sizes that do not fit which option it is", async () => {
  const command = "pretrain --data ./photos --out ./new --steps 2 --batch 2 --image-size 16 --patch-size 8 --width 16 --heads 2 --text-width 16 --text-heads 2 --embed-dim 8"; // biome-ignore format: one line
  const { out } = await tbar(words(`${command} --test 2 --json --dry-run`));
  expect(JSON.parse(out).opened).toMatchObject({
    data: { data: { ...data, sets: { train: { images: 4 }, test: { images: 2 } } } },
  });
  for (const dry of ["", " --dry-run"]) {
    const refused = await tbar(words(command + dry));
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.err).toContain("--test 2000, but photos has only 6 images");
  }
});

test("one class is refused by all that measure", async () => {
  await rm(join(folder, "photos", "rose"), { recursive: true });
  await rm(join(folder, "photos", "stone"), { recursive: true });
  for (const command of [
    "eval",
    "attack badnet:size=4 --target mint --out ./x",
    "clean --trigger badnet:size=4 --target mint --out ./x",
    "finetune --out ./x",
  ]) {
    const refused = await tbar(words(`${command} --model ./pico --data ./photos`));
    expect([command, refused.code]).toEqual([command, 2]);
    expect(refused.err).toContain('photos has one class, "mint"');
  }
});
