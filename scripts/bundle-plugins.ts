// What the bundle has in place of files and packages as they are: compiled modules, and of some packages only what is used.

import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, relative, resolve } from 'node:path';
import type { Plugin } from 'esbuild';
import { CRD_FILE } from '../src/api/crd.ts';
import { compiledCrdModule } from './compile-crd.ts';
import { compiledKernelModule } from './compile-kernel.ts';
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
    onLoad({ filter: /[/\\]src[/\\]api[/\\]crd-text\.ts$/ }, () => {
      return { contents: `export const CRD_TEXT = ${JSON.stringify(readFileSync(CRD_FILE, 'utf8'))};` };
    });
    onLoad({ filter: /[/\\]src[/\\]wire[/\\]message-types\.ts$/ }, () => ({
      contents: compiledTypesModule(),
      resolveDir: join(root, 'src/wire'),
    }));
    onLoad({ filter: /[/\\]src[/\\]wire[/\\]kernel[/\\]compiled-kernel\.ts$/ }, async () => ({
      contents: await compiledKernelModule(),
    }));
    onLoad({ filter: /[/\\]src[/\\]telemetry[/\\]version\.ts$/ }, () => {
      const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
      return { contents: `export const VERSION = ${JSON.stringify(version)};` };
    });
  },
};

/**
 * Node's own modules are taken with process.getBuiltinModule. An `import` of one reads every export, and the getters among them load
 * whatever they are about: streams, inspectors, certificates.
 */
const builtinsWithoutGetters: Plugin = {
  name: 'built-in modules without their getters',
  setup({ onResolve, onLoad }) {
    const names = new Set(builtinModules);
    onResolve({ filter: /^(?:node:)?[a-z\d_/]+$/ }, ({ path, kind, importer }) => {
      const name = path.replace(/^node:/, '');
      if (kind !== 'import-statement' || !names.has(name)) return undefined;
      // One for each importer: one for all would be a file of its own, or several.
      // In the maps it has to be the same wherever the checkout is.
      const place = relative(root, importer);
      return { path: `${name} for ${place}`, namespace: 'builtin', pluginData: `node:${name}`, sideEffects: false };
    });
    onLoad({ filter: /./, namespace: 'builtin' }, ({ pluginData }) => ({ contents: importedBuiltin(pluginData) }));
  },
};

/** A module with the exports of a built-in one. Those that nobody imports are not in the bundle. */
function importedBuiltin(path: string): string {
  const exported = Object.getOwnPropertyNames(process.getBuiltinModule(path));
  const lines = exported
    .filter((name) => name !== 'default')
    .map((name, index) => {
      const value = `/* @__PURE__ */ (() => builtin[${JSON.stringify(name)}])()`;
      return `const export${index} = ${value}; export { export${index} as ${JSON.stringify(name)} };`;
    });
  const builtin = `const builtin = /* @__PURE__ */ process.getBuiltinModule(${JSON.stringify(path)}); export default builtin;`;
  return [builtin, ...lines].join('\n');
}

/** The plugin above does what it does in a checkout, and here it would load node:http for --version. */
const nothingToKeepUnloaded: Plugin = {
  name: 'light-builtins has nothing to do',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]src[/\\]telemetry[/\\]light-builtins\.ts$/ }, () => ({
      contents: 'export function leaveUndiciUnloaded() {}',
    }));
  },
};

/** Two texts for errors that a caller of got may make. They take a tenth of a start: each needs the list of all locales. */
const withoutListFormats: Plugin = {
  name: 'without Intl.ListFormat in @sindresorhus/is',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]@sindresorhus[/\\]is[/\\]distribution[/\\]index\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const contents = text.replaceAll(/new Intl\.ListFormat\([^)]*\)/g, "{ format: (list) => list.join(', ') }");
      return contents === text ? { errors: [{ text: 'there is no Intl.ListFormat any more' }] } : { contents };
    });
  },
};

/** protobufjs takes 64-bit integers as numbers without it. It would compile a WebAssembly module when it is loaded. */
const withoutLong: Plugin = {
  name: 'without long',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^long$/ }, ({ path }) => ({ path, namespace: 'without-long' }));
    onLoad({ filter: /./, namespace: 'without-long' }, () => ({ contents: 'module.exports = undefined;' }));
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

/**
 * client-node sends its own requests with undici, which needs Node 22 as soon as it is loaded. Only the options that a kubeconfig makes for
 * Node's own requests are used.
 */
const withoutUndiciInClientNode: Plugin = {
  name: 'without undici in client-node',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, ({ path, importer }) =>
      /[/\\]@kubernetes[/\\]client-node[/\\]/.test(importer) ? { path, namespace: 'without-undici' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'without-undici' }, () => ({
      contents: 'export const Agent = undefined, ProxyAgent = undefined, fetch = undefined;',
    }));
  },
};

/**
 * grpc-js loads it, with a parser of .proto files and yargs, only to serve its own statistics. Its index loads everything of a server and of
 * those statistics too; of the rest, only a channel is used.
 */
const withoutProtoLoader: Plugin = {
  name: 'without @grpc/proto-loader',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@grpc\/proto-loader$/ }, ({ path }) => ({ path, namespace: 'without-proto-loader' }));
    onLoad({ filter: /./, namespace: 'without-proto-loader' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/**
 * Of winston, what src/telemetry/logger.ts uses: not its other transports and formats, and not its default logger. Its streams are Node's
 * own instead of a copy of theirs from 2018.
 */
const onlyUsedOfWinston: Plugin = {
  name: 'only what is used of winston',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(?:winston|logform|@dabh\/diagnostics|readable-stream(?:\/.*)?)$/ }, ({ path }) => ({
      path,
      namespace: 'used-of-winston',
    }));
    onLoad({ filter: /./, namespace: 'used-of-winston' }, ({ path }) => {
      const contents = USED_OF_WINSTON[path];
      return contents === undefined ? { errors: [{ text: `${path} is new` }] } : { contents, resolveDir: root };
    });
  },
};

const USED_OF_WINSTON: Readonly<Record<string, string>> = {
  winston: `
    exports.createLogger = require('winston/lib/winston/create-logger');
    exports.transports = { Stream: require('winston/lib/winston/transports/stream') };
    exports.format = require('logform').format;`,
  logform: `
    exports.format = Object.assign(require('logform/format'), {
      combine: require('logform/combine'),
      timestamp: require('logform/timestamp'),
      printf: require('logform/printf'),
      colorize: require('logform/colorize'),
    });
    exports.levels = require('logform/levels');`,
  'readable-stream': "module.exports = require('node:stream');",
  'readable-stream/lib/_stream_writable.js': "module.exports = require('node:stream').Writable;",
  // Reports winston's own steps when DEBUG or DIAGNOSTICS is set.
  '@dabh/diagnostics': 'module.exports = () => () => {};',
};

export const PLUGINS: readonly Plugin[] = [
  compiledModules,
  nothingToKeepUnloaded,
  withoutHttp2,
  withoutLong,
  withoutProtoLoader,
  withoutUndiciInClientNode,
  withoutListFormats,
  onlyUsedOfWinston,
  onlyUsedOfClientNode,
  builtinsWithoutGetters,
];
