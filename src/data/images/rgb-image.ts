/** An image as decoders give it and resizing takes it. */

/** 8-bit R,G,B, row by row: [height, width, 3]. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}
