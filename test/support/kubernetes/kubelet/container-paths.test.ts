import assert from 'node:assert/strict';
import { PodDirectory, pathRewriter } from './container-paths.ts';

describe("the container's paths in the test kubelet", () => {
  const rewrite = pathRewriter(
    {
      name: 'program',
      volumeMounts: [
        { name: 'config', mountPath: '/etc/app' },
        { name: 'secret', mountPath: '/etc/app/deep', subPath: 'key' },
        { name: 'dotted', mountPath: '/etc/a.b' },
      ],
    },
    new PodDirectory('/tmp/pod'),
  );

  for (const [text, expected] of [
    ['/etc/app', '/tmp/pod/volumes/config'],
    ['--config=/etc/app/x.yaml', '--config=/tmp/pod/volumes/config/x.yaml'],
    ['/etc/app/deep/file', '/tmp/pod/volumes/secret/key/file'],
    ['a,/etc/app:/etc/a.b', 'a,/tmp/pod/volumes/config:/tmp/pod/volumes/dotted'],
    ['/dev/termination-log', '/tmp/pod/termination-message'],
    ['/etc/apple', '/etc/apple'],
    ['/other/etc/app', '/other/etc/app'],
    ['/etc/axb', '/etc/axb'],
  ] as const) {
    it(`of ${text} become ${expected}`, () => assert.equal(rewrite(text), expected));
  }
});
