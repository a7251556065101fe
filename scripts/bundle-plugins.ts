// What the bundle has in place of files and packages as they are: compiled modules, and of some packages only what is used.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Plugin } from 'esbuild';
import { compiledCrdModule } from './compile-crd.ts';
import { compiledTypesModule } from './compile-proto.ts';

const root = resolve(import.meta.dirname, '..');

/** What is computed once here instead of at each start. */
const compiledModules: Plugin = {
  name: 'compiled modules',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]src[/\\]api[/\\]compiled-crd\.ts$/ }, () => ({
      contents: compiledCrdModule(),
      resolveDir: join(root, 'src/api'),
    }));
    onLoad({ filter: /[/\\]src[/\\]wire[/\\]message-types\.ts$/ }, () => ({
      contents: compiledTypesModule(),
      resolveDir: join(root, 'src/wire'),
    }));
    onLoad({ filter: /[/\\]src[/\\]telemetry[/\\]version\.ts$/ }, () => {
      const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
      return { contents: `export const VERSION = ${JSON.stringify(version)};` };
    });
  },
};

/** got imports it for its option `http2`, which is not used here; it loads node:http2 at once. */
const withoutHttp2: Plugin = {
  name: 'without http2-wrapper',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]http2-wrapper[/\\]source[/\\]index\.js$/ }, () => ({
      contents: "module.exports = { auto() { throw new Error('HTTP/2 is not supported'); } };",
    }));
  },
};

/** The package does not declare that its modules have no side effects. Only its KubeConfig is used, a tenth of it. */
const onlyUsedOfClientNode: Plugin = {
  name: 'only what is used of client-node',
  setup({ onResolve, resolve: resolvePath }) {
    const inside = (path: string) => /[/\\]@kubernetes[/\\]client-node[/\\]/.test(path);
    onResolve({ filter: /./ }, async ({ path, pluginData, ...args }) => {
      if (pluginData === inside || !(path === '@kubernetes/client-node' || inside(args.importer))) return undefined;
      const { namespace, resolveDir, importer, kind } = args;
      const resolved = await resolvePath(path, { namespace, resolveDir, importer, kind, pluginData: inside });
      return inside(resolved.path) ? { ...resolved, sideEffects: false } : resolved;
    });
  },
};

export const PLUGINS: readonly Plugin[] = [compiledModules, withoutHttp2, onlyUsedOfClientNode];
