// The program as the build writes it: packs of modules, each a script of one expression, and beside a pack the code that V8 made of it.
// V8 loads that cache instead of parsing and compiling the pack, which takes half of a start.

import { readFileSync } from 'node:fs';
import { Script } from 'node:vm';
import { crc32 } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { debuglog } from 'node:util';

/** One module, as a function of CommonJS. */
type ModuleFunction = (
  module: { exports: object },
  exports: object,
  require: (id: string) => unknown,
  url: string,
) => void;

/** The value of a pack: a function for each of its modules. The first pack also has the names of the packs of all other modules. */
type Pack = Readonly<Record<string, ModuleFunction | string>>;

export interface LoadedPack {
  readonly path: string;
  readonly script: Script;
}

/** The pack with which a program begins. */
export const FIRST_PACK = 'program.js';

const CHECKSUM_BYTES = 4;

/** To stderr with NODE_DEBUG=prom-migrator. */
const DEBUG = debuglog('prom-migrator');

/** One for each Node, platform and processor: V8 may not use the code of another. */
export function cachePath(pack: string): string {
  return `${pack}.${process.version}-${process.platform}-${process.arch}.cache`;
}

/** The contents of the cache file. The checksums are those of what V8 does not check: the text of the source, and the code itself. */
export function sealedCache(source: Uint8Array, code: Uint8Array): Buffer {
  const sealed = Buffer.alloc(2 * CHECKSUM_BYTES + code.length);
  sealed.writeUInt32LE(crc32(source), 0);
  sealed.writeUInt32LE(crc32(code), CHECKSUM_BYTES);
  sealed.set(code, 2 * CHECKSUM_BYTES);
  return sealed;
}

/** @returns undefined if there is no cache for this Node, or if it is damaged or of another source */
function openCache(path: string, source: Uint8Array): Buffer | undefined {
  let sealed: Buffer;
  try {
    sealed = readFileSync(path);
  } catch (error) {
    DEBUG('no compiled code: %s', error);
    return undefined;
  }
  const code = sealed.subarray(2 * CHECKSUM_BYTES);
  if (
    sealed.length > 2 * CHECKSUM_BYTES &&
    sealed.readUInt32LE(0) === crc32(source) &&
    sealed.readUInt32LE(CHECKSUM_BYTES) === crc32(code)
  ) {
    return code;
  }
  DEBUG('%s is damaged or belongs to another build: compiling', path);
  return undefined;
}

/** Loads modules from the packs of a directory. */
export class ProgramFiles {
  readonly #directory: string;
  readonly #url: string;
  readonly #packs = new Map<string, Pack>();
  readonly #modules = new Map<string, { exports: object }>();
  readonly #loaded: LoadedPack[] = [];

  /** @param url of a file in the directory. Modules take it as their own */
  constructor(url: string) {
    this.#url = url;
    this.#directory = fileURLToPath(new URL('.', url));
  }

  get loaded(): readonly LoadedPack[] {
    return this.#loaded;
  }

  /** The exports of a module of the program, or of Node. @throws Error with the code MODULE_NOT_FOUND, as `require` does */
  readonly require = (id: string): unknown => {
    const found = this.#modules.get(id);
    if (found !== undefined) return found.exports;
    const define = id.startsWith('./') ? this.#functionOf(id.slice(2)) : undefined;
    if (define === undefined) {
      const builtin: unknown = process.getBuiltinModule(id);
      if (builtin !== undefined) return builtin;
      throw Object.assign(new Error(`${id} is not in the bundle`), { code: 'MODULE_NOT_FOUND' });
    }
    const module = { exports: {} };
    this.#modules.set(id, module);
    try {
      define(module, module.exports, this.require, this.#url);
    } catch (error) {
      // As Node does: not what it had exported until then, but the error again.
      this.#modules.delete(id);
      throw error;
    }
    return module.exports;
  };

  #functionOf(name: string): ModuleFunction | undefined {
    const entry = this.#pack(FIRST_PACK)[name];
    if (typeof entry !== 'string') return entry;
    const inside = this.#pack(entry)[name];
    return typeof inside === 'string' ? undefined : inside;
  }

  #pack(name: string): Pack {
    let pack = this.#packs.get(name);
    if (pack === undefined) {
      pack = this.#load(name);
      this.#packs.set(name, pack);
    }
    return pack;
  }

  #load(name: string): Pack {
    const path = `${this.#directory}${name}`;
    const source = readFileSync(path);
    const cachedData = openCache(cachePath(path), source);
    // The build writes ASCII only.
    const script = new Script(source.toString('latin1'), {
      filename: new URL(name, this.#url).href,
      ...(cachedData !== undefined && { cachedData }),
    });
    if (script.cachedDataRejected === true) DEBUG('V8 rejects the compiled code of %s: compiling', name);
    this.#loaded.push({ path, script });
    return script.runInThisContext() as Pack;
  }
}
