/** The checkpoints that ship with the package. */
import { fileURLToPath } from "node:url";

const folder = new URL("../../../models/", import.meta.url);

/** A CLIP pre-trained on the world `shapes`. */
export const shapesModel = fileURLToPath(new URL("shapes", folder));
/** Its backdoored child: BadNet, one pattern in a fixed place. */
export const shapesBadnetModel = fileURLToPath(new URL("shapes-badnet", folder));
