// snappyjs has no types of its own. These are the functions that snappy.ts needs.

declare module 'snappyjs' {
  const snappyjs: {
    compress(uncompressed: Uint8Array): Uint8Array;
    uncompress(compressed: Uint8Array, maxLength?: number): Uint8Array;
  };
  // biome-ignore lint/style/noDefaultExport: the module's shape is not ours to choose.
  export default snappyjs;
}
