/**
 * Documents in a bucket of Amazon S3 or of whatever speaks its language: s3mini, which is installed beside tbar by whoever wants it. Keys, region
 * and server come from the variables that Amazon's own tools read.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { S3mini } from "s3mini";
import { cacheFolder } from "../runtime/onnxruntime-package.ts";
import { badInput, TbarError } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { type Documents, mostBytes } from "./documents.ts";

export const isBucket = (place: string): boolean => /^s3:/i.test(place);

/** A server may be away for a moment: after so many milliseconds it is asked again. */
const pauses = [300, 1000, 3000];

/** Opened when first used: then it throws `bad-input` on an address or keys that are none, `unavailable` where s3mini or the server is missing or refuses. */
export function bucketDocuments(address: string): Documents {
  const { name, bucket, prefix } = parsed(address);
  let opening: Promise<S3mini> | undefined;
  const ask = async <T>(what: (s3: S3mini) => Promise<T>): Promise<T> => {
    opening ??= open(bucket);
    const s3 = await opening;
    for (const pause of pauses) {
      const answer = await what(s3).then((value) => ({ value })).catch((error) => (isPassing(error) ? undefined : refused(name, s3, error))); // biome-ignore format: one line
      if (answer !== undefined) return answer.value;
      await wait(pause);
    }
    return what(s3).catch((error) => refused(name, s3, error));
  };
  return {
    name,
    folder: join(cacheFolder(), "sweeps", createHash("sha256").update(name).digest("hex").slice(0, 16)),
    read: (path) =>
      ask(async (s3) => {
        const response = await s3.getObjectResponse(prefix + path);
        return response === null ? undefined : bounded(response, `${name}/${path}`);
      }),
    write: (path, text) => ask((s3) => s3.putObject(prefix + path, text, "application/json")).then(() => {}),
    remove: (path) => ask((s3) => s3.deleteObject(prefix + path)).then(() => {}),
  };
}

function parsed(address: string) {
  const [, bucket, rest] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(address) ?? [];
  if (bucket === undefined) throw badInput(`${printable(address)} is no bucket; one is called s3://BUCKET/PREFIX, BUCKET in lower case`); // biome-ignore format: one line
  const inside = (rest ?? "").replace(/\/+$/, "");
  return {
    name: `s3://${[bucket, inside].filter(Boolean).join("/")}`,
    bucket,
    prefix: inside === "" ? "" : `${inside}/`,
  };
}

async function open(bucket: string): Promise<S3mini> {
  const env = process.env;
  const [accessKeyId, secretAccessKey] = [env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY];
  if (!accessKeyId || !secretAccessKey) throw badInput("a store in a bucket needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"); // biome-ignore format: one line
  if (env.AWS_SESSION_TOKEN) throw badInput("AWS_SESSION_TOKEN is set: keys that last for a session are not supported, only those of a user or of the bucket"); // biome-ignore format: one line
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION || "us-east-1";
  const server = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || `https://s3.${region}.amazonaws.com`;
  const { S3mini } = await import("s3mini").catch((cause) => {
    throw new TbarError("unavailable", "a store in a bucket needs s3mini, which is not installed: npm install s3mini", {
      cause,
    });
  });
  return new S3mini({ accessKeyId, secretAccessKey, region, endpoint: `${server.replace(/\/+$/, "")}/${bucket}` });
}

async function bounded(response: Response, what: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > mostBytes) throw badInput(`${what} has more than ${mostBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** The server did not answer (fetch throws a TypeError), or had a fault of its own: not what was asked is wrong. */
function isPassing({ name, status = 0 }: { readonly name?: string; readonly status?: number }): boolean {
  return isSilent({ name }) || status >= 500;
}

const isSilent = ({ name }: { readonly name?: string }) => name === "TypeError" || name === "S3NetworkError";

function refused(
  name: string,
  { endpoint }: Pick<S3mini, "endpoint">,
  error: Error & { readonly status?: number; readonly serviceCode?: string },
): never {
  if (error instanceof TbarError) throw error;
  const { status, serviceCode = "" } = error;
  const why = isSilent(error) ? `${endpoint.origin} does not answer` : [status, serviceCode.replace("Unknown", "")].filter(Boolean).join(" ") || error.message; // biome-ignore format: one line
  throw new TbarError("unavailable", `${name}: ${printable(why, 200)}`, { cause: error });
}
