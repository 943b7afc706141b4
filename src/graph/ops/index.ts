/** The op table, whole: importing this registers every op. */
export { expand, reduceSum } from "./broadcast.ts";
export * from "./conv.ts";
export * from "./elementwise.ts";
export * from "./matmul.ts";
export * from "./movement.ts";
export * from "./reduce.ts";
