// Checks of the Dockerfile that need no build. scripts/image.ts builds and runs the image.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { memoryVariables, nodeFlags } from '../../bin/node-settings.mjs';
import { importsOf } from '../../scripts/source-graph.ts';

const root = resolve(import.meta.dirname, '../..');
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
const stages = dockerfile.split(/^(?=FROM )/m);
const last = stages.at(-1)!;
const instructions = (text: string, name: string) =>
  [...text.replaceAll('\\\n', ' ').matchAll(new RegExp(`^${name} (.*)$`, 'gm'))].map(([, rest]) => rest ?? '');
const copiedFromContext = (text: string) =>
  instructions(text, 'COPY')
    .filter((rest) => !rest.startsWith('--from='))
    .flatMap((rest) => rest.split(/\s+/).slice(0, -1));

describe('the Dockerfile', () => {
  it('takes its base images from build arguments with a default version', () => {
    assert.ok(stages.length >= 3);
    for (const stage of stages.slice(1)) assert.match(stage, /^FROM \$\{(NODE|RUNTIME)_IMAGE\}/);
    assert.match(dockerfile, /^ARG NODE_IMAGE=\S+:\d+\.\d+\.\d+/m);
  });

  it('ends with a numeric user and an entry point without a shell', () => {
    assert.deepEqual(instructions(last, 'USER'), ['65532:65532']);
    for (const name of ['ENTRYPOINT', 'CMD']) {
      const [form] = instructions(last, name);
      assert.ok(Array.isArray(JSON.parse(form!)), name);
    }
    assert.deepEqual(instructions(last, 'RUN'), []);
  });

  it('starts the command of the installed package', () => {
    const [node, ...flags] = JSON.parse(instructions(last, 'ENTRYPOINT')[0]!) as string[];
    const script = flags.pop();
    const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    assert.deepEqual([node, script], ['node', `/app/${bin['prom-migrator']}`]);
    assert.deepEqual(flags, nodeFlags, 'as the launcher has them');
    for (const [name, value] of Object.entries(memoryVariables))
      assert.match(instructions(last, 'ENV').join(' '), new RegExp(`\\b${name}=${value}\\b`));
  });

  it('copies every script that the build imports', () => {
    const found = new Set<string>();
    const add = (file: string) => {
      // A script may have an import in the text of a module that it writes.
      if (found.has(file) || !existsSync(join(root, file))) return;
      found.add(file);
      for (const path of importsOf(readFileSync(join(root, file), 'utf8')))
        if (path.startsWith('.')) add(join(dirname(file), path));
    };
    add('scripts/build.ts');
    const copied = copiedFromContext(stages[1] ?? '');
    assert.deepEqual(
      [...found].filter((file) => !copied.some((path) => file === path || file.startsWith(`${path}/`))),
      [],
    );
  });

  it('uses the same user as the chart', () => {
    assert.match(readFileSync(join(root, 'charts/prom-migrator/values.yaml'), 'utf8'), /^ {2}runAsUser: 65532$/m);
  });

  it('leaves nothing of the package registry in a layer', () => {
    for (const rest of instructions(dockerfile, 'RUN').filter((text) => text.includes('npm ci'))) {
      assert.match(rest, /^--mount=type=secret,id=npmrc,target=\/root\/\.npmrc /);
    }
  });
});

describe('.dockerignore', () => {
  it('includes what the Dockerfile copies, and nothing else', () => {
    const lines = readFileSync(join(root, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    assert.equal(lines[0], '*');
    const allowed = lines.slice(1).map((line) => line.replace(/^!/, ''));
    assert.deepEqual([...allowed].sort(), [...new Set(copiedFromContext(dockerfile))].sort());
    for (const path of allowed) assert.ok(existsSync(join(root, path)), path);
  });
});
