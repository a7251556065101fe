// Keeps Node modules from loading what the program does not need.

/**
 * `http` exports the WebSocket classes of undici through getters that load undici, and the first `import` of node:http reads every export:
 * 14 MB and a tenth of a second for classes that this program does not need. Call this before the import of any module that imports
 * node:http.
 */
export function leaveUndiciUnloaded(): void {
  const http = process.getBuiltinModule('node:http');
  for (const name of ['WebSocket', 'CloseEvent', 'MessageEvent']) Reflect.deleteProperty(http, name);
}
