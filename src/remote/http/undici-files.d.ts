// The types of the files of undici that are imported alone.

declare module 'undici/lib/dispatcher/client.js' {
  // biome-ignore lint/style/noDefaultExport: the file is CommonJS
  export { Client as default } from 'undici';
}
