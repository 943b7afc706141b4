/** The programs that a model is exported as. `both`: embeddings of images and texts, and their logits. */
export const programs = ["both", "image", "text"] as const;
export type ProgramName = (typeof programs)[number];
