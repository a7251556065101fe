import assert from 'node:assert/strict';
import { expanded, fieldOf } from './environment.ts';

describe('the environment of a container in the test kubelet', () => {
  it('replaces $(NAME), but neither an unknown variable nor $$(NAME)', () => {
    assert.equal(expanded('$(A)/$(B) $$(A) $A', { A: '1' }), '1/$(B) $(A) $A');
  });

  it('has fields of the pod', () => {
    const annotations = { 'batch.kubernetes.io/job-completion-index': '2' };
    const pod = { metadata: { name: 'a', annotations, labels: { app: 'b' } }, spec: { nodeName: 'c', containers: [] } };
    assert.equal(fieldOf(pod, "metadata.annotations['batch.kubernetes.io/job-completion-index']"), '2');
    assert.equal(fieldOf(pod, "metadata.labels['app']"), 'b');
    assert.equal(fieldOf(pod, "metadata.labels['none']"), '');
    assert.equal(fieldOf(pod, 'metadata.name'), 'a');
    assert.equal(fieldOf(pod, 'spec.nodeName'), 'c');
    assert.throws(() => fieldOf(pod, 'metadata.other'), /does not know the field metadata\.other/);
  });
});
