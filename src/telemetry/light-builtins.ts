// Modules of Node that load more than is used of them.

/**
 * `http` exports the WebSocket classes of undici through getters that load it, and the first `import` of node:http reads every export: 14 MB
 * and a tenth of a second for classes that nothing here uses. Call this before anything is imported that imports node:http.
 */
export function leaveUndiciUnloaded(): void {
  const http = process.getBuiltinModule('node:http');
  for (const name of ['WebSocket', 'CloseEvent', 'MessageEvent']) Reflect.deleteProperty(http, name);
}
