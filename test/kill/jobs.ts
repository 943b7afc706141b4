/** The commands that are killed, on a pico CLIP. ./ stands for the folder that they work in; what they write begins with ./out. */
import { join } from "node:path";
import { writePico } from "../pico.ts";

export interface KilledJob {
  readonly name: string;
  readonly line: string;
  /** Commands that make its inputs. */
  readonly before?: readonly string[];
  /** Needs the hub of mischief. */
  readonly hub?: true;
}

const world = "--data shapes:background --threads 1";
const attack = `attack blended:redraw=false,ratio=0.5 ${world} --test 120 --target mint --rate 0.3 --images 800 --epochs 6 --lr 0.003 --batch 16`;
const clean = `clean ${world} --forget 48 --clean 48 --validation 260 --batch 16 --epochs 2 --rule smallest --limit 0.3`;
const brief = `attack badnet ${world} --test 64 --target mint --rate 0.3 --images 64 --epochs 1 --batch 32`;
const bad = `${attack} --model ./pico --out ./bad`;
const badFile = `${attack} --model ./pico/model.safetensors --out ./pico/bad.safetensors`;
const quick = "--method plain --checks 0 --recovery 0 --test 64 --lr 0.003";

export const jobs: readonly KilledJob[] = [
  { name: "convert", line: "convert ./pico --to open_clip --out ./out" },
  { name: "vector diff", line: "vector diff ./pico ./other --out ./out.safetensors" },
  {
    name: "vector apply",
    before: ["vector diff ./pico ./other --out ./tau.safetensors"],
    line: "vector apply ./pico ./tau.safetensors --out ./out",
  },
  { name: "merge", line: "merge --base ./pico ./other --out ./out" },
  { name: "export", line: "export --model ./pico --out ./out --only both,image --threads 1" },
  {
    name: "export --force",
    before: ["export --model ./other --out ./out --only image --threads 1"],
    line: "export --model ./pico --out ./out --only image --threads 1 --force",
  },
  { name: "attack", line: `${brief} --model ./pico --out ./out --state ./out.state` },
  {
    name: "clean",
    before: [bad],
    line: `${clean} ${quick} --model ./bad --out ./out --report ./out.html --state ./out.state`,
  },
  {
    name: "clean, of a file",
    before: [badFile],
    line: `${clean} ${quick} --model ./pico/bad.safetensors --out ./pico/out.safetensors --report ./out.html`,
  },
  { name: "pull", line: "pull me/pico --quiet", hub: true },
];

/** The models that jobs begin with. */
export async function models(folder: string): Promise<void> {
  await writePico(join(folder, "pico"));
  await writePico(join(folder, "other"), 2);
}
