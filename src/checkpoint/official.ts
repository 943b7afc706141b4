/** SHA-256 of files as their makers published them: OpenAI's download addresses carry it (openai/CLIP clip/clip.py). */
const OFFICIAL: Readonly<Record<string, string>> = {
  "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af": "OpenAI's ViT-B/32",
  "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f": "OpenAI's ViT-B/16",
  b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836: "OpenAI's ViT-L/14",
  "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02": "OpenAI's ViT-L/14-336",
  afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762: "OpenAI's RN50",
};

/** Whose file this is, unchanged; undefined for one we do not know. */
export function officialName(sha256: string): string | undefined {
  return Object.hasOwn(OFFICIAL, sha256) ? OFFICIAL[sha256] : undefined;
}
