/** Data sets whose every example is an image file. */
import type { Contents, Dataset, Example } from "../dataset.ts";
import { decoded } from "../images/encoded.ts";
import { readImageFile } from "../images/image.ts";

export interface ImageFile extends Example {
  readonly file: string;
}

/** `read` throws TbarError naming the first file that cannot be read. */
export function imageFiles(
  name: string,
  files: readonly ImageFile[],
  { classNames, contents }: { classNames?: readonly string[]; contents?: Contents } = {},
): Dataset {
  return decoded({
    name,
    size: files.length,
    classNames,
    contents,
    example(index) {
      const { id, label, caption } = files[index];
      return { id, label, caption };
    },
    encoded: (index) => readImageFile(files[index].file),
    place: (index) => files[index].file,
  });
}
