/**
 * Whose names the tensors of a file may have. OpenAI's and those of open_clip's CLIP are the same; `open_clip-text` puts `text.`
 * before the text tower, as open_clip's CustomTextCLIP does.
 */
export const keyStyles = ["openai", "open_clip", "open_clip-text", "hf"] as const;
export type KeyStyle = (typeof keyStyles)[number];
