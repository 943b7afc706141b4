/** The token for private and gated repositories, where Python's huggingface_hub looks for it. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { badInput } from "../tensor/error.ts";
import { hubHome } from "./cache.ts";

/** Longer is no token. */
const most = 1024;

/**
 * HF_TOKEN; else the file that `hf auth login` leaves: HF_TOKEN_PATH, or `token` in HF_HOME or ~/.cache/huggingface, unless
 * HF_HUB_DISABLE_IMPLICIT_TOKEN says that it is not to be used unasked. Throws `bad-input` on what cannot be a token.
 */
export async function tokenOfEnvironment(): Promise<string | undefined> {
  const { HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH, HF_HUB_DISABLE_IMPLICIT_TOKEN } = process.env;
  const given = HF_TOKEN?.trim() || HUGGING_FACE_HUB_TOKEN?.trim();
  if (given) return checked(given, "HF_TOKEN");
  if (/^(1|true|yes|on)$/i.test(HF_HUB_DISABLE_IMPLICIT_TOKEN ?? "")) return undefined;
  const path = HF_TOKEN_PATH || join(hubHome(), "token");
  const found = (await readShort(path))?.trim();
  return found ? checked(found, path) : undefined;
}

function checked(token: string, from: string): string {
  if (token.length <= most && /^[\x21-\x7e]+$/.test(token)) return token;
  throw badInput(`${from} is no token: it has blanks, characters beyond ASCII, or more than ${most} of them`);
}

/** The text of a regular file, or one byte more than a token has; undefined where there is none that we may read. */
async function readShort(path: string): Promise<string | undefined> {
  const { O_RDONLY, O_NONBLOCK = 0 } = constants; // a pipe must not make us wait
  const file = await open(path, O_RDONLY | O_NONBLOCK).catch(() => undefined);
  try {
    if (!(await file?.stat())?.isFile()) return undefined;
    const bytes = Buffer.alloc(most + 3);
    const { bytesRead } = await file!.read(bytes, 0, bytes.length, 0);
    return bytes.toString("utf8", 0, bytesRead);
  } finally {
    await file?.close();
  }
}
