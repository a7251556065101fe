// The part of aws4 that is used. The package has no types of its own, and those of @types/aws4 are for an older version.

declare module 'aws4' {
  interface Request {
    readonly method: string;
    readonly region: string;
    readonly service: string;
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly body?: Uint8Array;
    /** Names in lower case. */
    readonly extraHeadersToIgnore: Readonly<Record<string, boolean>>;
  }

  const aws4: {
    /** Adds headers to the request and returns it. */
    sign(
      request: Request,
      keys: { readonly accessKeyId: string; readonly secretAccessKey: string },
    ): { readonly headers: Readonly<Record<string, string>> };
  };
  // biome-ignore lint/style/noDefaultExport: the package is CommonJS
  export default aws4;
}
