/** Names that stand for paths: what ships with tbar, and what the hub's cache holds. */
import { localPath } from "../../hub/cache.ts";
import { shapesBadnetModel, shapesModel } from "./embedded.ts";

/** A checkpoint's path: the shipped ones go by name (a folder of that name is ./shapes), those of the hub as `localPath` says. */
export function modelPath(text: string): string {
  if (text === "shapes") return shapesModel;
  return text === "shapes-badnet" ? shapesBadnetModel : localPath(text);
}

/** A data set's path: only `hf:datasets/OWNER/NAME` is looked up in the hub's cache. */
export function dataPath(text: string): string {
  return text.startsWith("hf:") ? localPath(text) : text;
}
