import assert from 'node:assert/strict';
import { Secret, SecretUrl } from '../../src/telemetry/secret.ts';
import { shownTexts } from '../support/secrets.ts';

describe('a secret', () => {
  it('shows its value in no text, wherever it is', () => {
    const secret = new Secret('hunter2');
    assert.equal(`${secret} ${JSON.stringify({ secret })}`, '*** {"secret":"***"}');
    assert.doesNotMatch(shownTexts([secret, { secret }, new Map([[secret, new Set([secret])]])]), /hunter2/);
    assert.doesNotMatch(shownTexts(new Secret(['hunter2'])), /hunter2/);
    assert.equal(secret.reveal(), 'hunter2');
  });

  it('is lost in a structured clone, instead of becoming plain text', () => {
    assert.doesNotMatch(shownTexts(structuredClone({ secret: new Secret('hunter2') })), /hunter2/);
  });

  it('that is a URL shows the URL without query values and userinfo', () => {
    const url = new SecretUrl('https://me:hunter2@host:8086/write?db=x&p=hunter2');
    assert.equal(`${url} ${JSON.stringify({ url })}`, `${shown} {"url":"${shown}"}`);
    assert.doesNotMatch(shownTexts([url, { url }]), /hunter2/);
    assert.equal(url.reveal(), 'https://me:hunter2@host:8086/write?db=x&p=hunter2');
  });
});

const shown = 'https://host:8086/write?db=***&p=***';
