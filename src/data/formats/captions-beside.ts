/** Captions in files beside the images: 0001.jpg with 0001.txt, .caption or .json, as img2dataset and trainers of diffusion models write them. */
import { extname, join } from "node:path";
import { readSmallFile } from "../../files/files.ts";
import { concurrently } from "./concurrently.ts";
import { decodeText, type Encoding } from "./text.ts";
import { factsIn, maxText } from "./webdataset.ts";

const endings = [".txt", ".caption", ".json"];

export interface CaptionsBeside {
  /** By image; undefined where it has none. */
  readonly captions: readonly (string | undefined)[];
  /** The ending of the files that were read; undefined where no image has one. */
  readonly ending?: string;
}

/** Files of one ending, the first of .txt, .caption and .json that there is; those of digits alone (boxes of detectors) are no captions. */
export async function captionsBeside(
  folder: string,
  images: readonly string[],
  others: ReadonlySet<string>,
  encoding?: Encoding,
): Promise<CaptionsBeside> {
  const stemOf = (image: string) => image.slice(0, image.length - extname(image).length);
  const ending = endings.find((ending) => images.some((image) => others.has(stemOf(image) + ending)));
  const none: CaptionsBeside = { captions: images.map(() => undefined) };
  if (ending === undefined) return none;
  const captions = [...none.captions];
  await concurrently(images, 16, async (image, i) => {
    const name = stemOf(image) + ending;
    if (!others.has(name)) return;
    const file = join(folder, name);
    const text = decodeText(await readSmallFile(file, maxText), file, encoding);
    captions[i] = factsIn(ending.slice(1), text).caption;
  });
  const areWords = captions.some((caption) => caption !== undefined && !/^[\d\s.,+-]*$/.test(caption));
  return areWords ? { captions, ending } : none;
}
