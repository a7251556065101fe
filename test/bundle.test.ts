// What the build makes of src/: what a command loads at startup, what comes along, and whether errors can still be traced to their source.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Bundled, bundle, bundledFiles, PROGRAM } from '../scripts/bundle.ts';
import { licenceOf, licencesText, packagesOf } from '../scripts/licences.ts';
import { LOG_LEVELS, type LogFormat } from '../src/telemetry/log-options.ts';
import { createLogger } from '../src/telemetry/logger.ts';
import { originalStack } from '../src/telemetry/original-stack.ts';

const ROOT = resolve(import.meta.dirname, '..');

describe('the bundle', () => {
  let directory: string;
  let bundled: Bundled;

  before(async function () {
    // It compiles the kernel, too.
    this.timeout(120_000);
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-bundle-'));
    bundled = await bundle(PROGRAM, directory);
  });

  after(() => rm(directory, { recursive: true, force: true }));

  const outputs = () => Object.entries(bundled.metafile.outputs).filter(([file]) => file.endsWith('.js'));

  /** The files of the output that are loaded with the output of a source, with what they import statically. */
  function loadedWith(...sources: string[]): [string, Bundled['metafile']['outputs'][string]][] {
    const found = new Set<string>();
    const add = (file: string) => {
      if (found.has(file)) return;
      found.add(file);
      for (const { path, kind, external } of bundled.metafile.outputs[file]!.imports)
        if (kind === 'import-statement' && !external) add(path);
    };
    for (const source of sources) {
      const [file] = outputs().find(([, { entryPoint }]) => entryPoint === source) ?? [];
      assert.ok(file, `${source} has no file of its own`);
      add(file);
    }
    return outputs().filter(([file]) => found.has(file));
  }

  const sourcesOf = (files: ReturnType<typeof loadedWith>) => files.flatMap(([, { inputs }]) => Object.keys(inputs));
  const bytesOf = (files: ReturnType<typeof loadedWith>) => files.reduce((sum, [, { bytes }]) => sum + bytes, 0);

  const START = ['src/main.ts', 'src/cli/program.ts'];
  const RUN = [...START, 'src/cli/run-command.ts', 'src/cli/engine.ts', 'node_modules/got/dist/source/index.js'];

  it('imports nothing but itself, and takes modules of Node without an import, which would read all their exports', () => {
    const external = outputs().flatMap(([, { imports }]) => imports.filter((one) => one.external));
    // Those that are required are optional parts of packages, which are tried at run time, and modules of Node.
    assert.deepEqual(
      external.filter(({ kind }) => kind !== 'require-call').map(({ path }) => path),
      [],
    );
  });

  it('runs nothing for a run that needs lists of locales, or compiles WebAssembly other than the kernel', async () => {
    let compilations = 0;
    for (const [file] of loadedWith(...RUN)) {
      const text = await readFile(resolve(ROOT, file), 'utf8');
      assert.ok(!/Intl\.(?:ListFormat|Segmenter)|WebAssembly\.compile/.test(text), file);
      compilations += text.match(/new WebAssembly\.Module/g)?.length ?? 0;
    }
    assert.equal(compilations, 1);
  });

  it('loads for a run neither the operator nor what only a flag needs, and for --help not even the engine', () => {
    const run = loadedWith(...RUN);
    const unneeded =
      /node_modules\/(?:ajv\/dist\/(?!runtime\/ucs2length)|@bufbuild|@kubernetes|prom-client|@grpc|d3-|undici|aws4|jose|protobufjs|string-width|get-east-asian-width)|^src\/(?:operator|kubectl\/(?!action-context)|cli\/report|remote\/credentials\/(?!fixed|credential-pool)|migration\/verify|wire\/native-export)\//;
    assert.deepEqual(
      sourcesOf(run).filter((file) => unneeded.test(file)),
      [],
    );
    const help = loadedWith(...START, 'src/cli/help.ts');
    assert.deepEqual(
      sourcesOf(help).filter((file) =>
        /^src\/(?:migration\/(?:read|write)|wire\/(?:chunks|responses|requests))\/|node_modules\/(?:got|yaml|re2js|winston)\//.test(
          file,
        ),
      ),
      [],
    );
    assert.ok(bytesOf(run) < 1_530_000 && bytesOf(help) < 82_000, `${bytesOf(run)} ${bytesOf(help)}`);
  });

  it('loads for the StoreAPI the client of grpc-js, without what loads .proto files', () => {
    const grpc = loadedWith('src/remote/grpc/grpc-channel.ts');
    const packages = new Set(sourcesOf(grpc).map((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]));
    packages.delete(undefined);
    assert.deepEqual([...packages].sort(), ['@grpc/grpc-js', '@js-sdsl/ordered-map']);
    assert.ok(bytesOf(grpc) < 700_000, `${bytesOf(grpc)}`);
  });

  it('does not load client-node for the operator in a pod', () => {
    const operator = loadedWith(...START, 'src/cli/operator-command.ts', 'src/operator/operator.ts');
    assert.deepEqual(
      sourcesOf(operator).filter((file) => /node_modules\/(?:@kubernetes|undici)/.test(file)),
      [],
    );
  });

  it('loads for a kubeconfig no undici, which does not run on the oldest Node', () => {
    const kubeconfig = sourcesOf(loadedWith('src/operator/kube/kubeconfig-library.ts'));
    assert.ok(kubeconfig.some((file) => file.startsWith('node_modules/@kubernetes/client-node/')));
    assert.deepEqual(
      kubeconfig.filter((file) => file.startsWith('node_modules/undici/')),
      [],
    );
  });

  it('has only the part of winston that the logger uses, and writes the same lines with it', async () => {
    const bundledLogger = await bundle({ logger: 'src/telemetry/logger.ts' }, join(directory, 'logger'));
    assert.deepEqual(
      [...bundledFiles(bundledLogger)].filter((file) =>
        /winston\/lib\/winston\/transports\/(?!stream\.js)|readable-stream|diagnostics|logform\/(?:cli|splat|pretty-print)\.js/.test(
          file,
        ),
      ),
      [],
    );
    const built = (await import(pathToFileURL(join(directory, 'logger', 'logger.js')).href)).createLogger;
    const linesOf = (create: typeof createLogger, format: LogFormat, colour: boolean) => {
      const lines: string[] = [];
      const write = (line: string) => void lines.push(line);
      const logger = create({ level: 'info', format, colour, clock: { now: () => 1_700_000_000_000 }, write });
      for (const level of LOG_LEVELS) logger[level](`at ${level}\n`, { password: 'x', url: 'http://a:b@c/', n: 5 });
      return lines;
    };
    for (const [format, colour] of [
      ['text', true],
      ['text', false],
      ['json', false],
    ] as const) {
      const lines = linesOf(built, format, colour);
      assert.equal(lines.length, 3);
      assert.deepEqual(lines, linesOf(createLogger, format, colour));
    }
  });

  it('signs and asserts with the libraries that it has', async () => {
    const entries = {
      'sign-v4': 'src/remote/credentials/sign-v4.ts',
      assertion: 'src/remote/credentials/client-assertion.ts',
    };
    await bundle(entries, join(directory, 'credentials'));
    const load = (name: string) => import(pathToFileURL(join(directory, 'credentials', `${name}.js`)).href);
    const secret = { reveal: () => 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
    const request = { method: 'GET', url: 'https://example.amazonaws.com/', headers: {}, body: undefined };
    const keys = { accessKey: { reveal: () => 'AKIDEXAMPLE' }, secretKey: secret, sessionToken: undefined };
    const { signV4 } = await load('sign-v4');
    const signed = signV4(request, keys, { region: 'us-east-1', service: 'service' }, Date.UTC(2015, 7, 30, 12, 36));
    assert.match(signed.authorization, /5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31$/);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = { reveal: () => privateKey.export({ type: 'pkcs8', format: 'pem' }) };
    const { signAssertion } = await load('assertion');
    assert.match(await signAssertion({ key, algorithm: 'ES256', audience: 'a' }, 'client', 0), /^ey[\w.-]{100,}$/);
  });

  it('has the worker thread beside the file that starts it', () => {
    const [starter] = outputs().find(([, { inputs }]) => 'src/execute/worker-threads.ts' in inputs) ?? [];
    const [worker] = outputs().find(([, { entryPoint }]) => entryPoint === PROGRAM['worker-thread']) ?? [];
    assert.ok(starter && worker);
    assert.equal(relative(resolve(ROOT, starter, '..'), resolve(ROOT, worker)), 'worker-thread.js');
  });

  it('has a licence text for every package in it', () => {
    const directories = packagesOf(bundledFiles(bundled));
    assert.ok(directories.length > 40, `${directories.length}`);
    for (const name of ['got', 'yaml', '@kubernetes/client-node'])
      assert.ok(directories.includes(`node_modules/${name}`));
    const licences = directories.map((one) => licenceOf(join(ROOT, one)));
    const text = licencesText(licences);
    for (const { name, version, licence, text: own } of licences) {
      assert.match(licence, /^(?:MIT|ISC|Apache-2\.0|BSD-[23]-Clause)$/, name);
      assert.ok(own.length > 500 && text.includes(`${name} ${version} (${licence})\n\n${own}`), name);
    }
  });

  it('reports a package without a licence text', async () => {
    await writeFile(join(directory, 'package.json'), '{"name":"x","version":"1.0.0","license":"MIT","type":"module"}');
    assert.throws(() => licenceOf(directory), /x is bundled and has no licence text/);
  });

  it('has maps with which a stack trace shows the files and lines of the source', async () => {
    const broken = join(directory, 'dist', 'broken.js');
    await writeFile(
      join(directory, 'throws.ts'),
      '\n\nexport function thrower(): never {\n  throw new Error("x");\n}\n',
    );
    await bundle({ broken: join(directory, 'throws.ts') }, join(directory, 'dist'));
    const { thrower } = await import(pathToFileURL(broken).href);
    const stack = originalStack(stackOf(thrower));
    assert.match(stack, /at (?:thrower|Module\.thrower|\S*thrower) \(throws\.ts:4:9\)/, stack);
  });

  it('leaves a stack without maps as it is', () => {
    const { stack = '' } = new Error('x');
    assert.equal(originalStack(stack), stack);
    assert.equal(originalStack('at f (file:///none/main.js:1:2)'), 'at f (file:///none/main.js:1:2)');
  });

  it('has the same names of functions as the source', async () => {
    const text = (await Promise.all(outputs().map(([file]) => readFile(resolve(ROOT, file), 'utf8')))).join('\n');
    for (const name of ['encodeReadRequest', 'compilePlan', 'runCommandLine'])
      assert.match(text, new RegExp(`function ${name}\\(`));
  });
});

function stackOf(thrower: () => never): string {
  try {
    return thrower();
  } catch (error) {
    return (error as Error).stack ?? '';
  }
}
