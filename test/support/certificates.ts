// Creates a certificate authority and certificates signed by it, for servers and clients of the TLS tests: new ones each run, so that no
// private key is in the repository. Node can parse X.509 but not create it; the necessary DER encoding is here.
import { createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';

/** PEM text. */
interface Certificate {
  cert: string;
  key: string;
}

export interface Authority extends Certificate {
  /** A certificate for a server on 127.0.0.1 and localhost, or for a client of that name. */
  issue(commonName: string): Certificate;
}

/** A new certificate authority; its certificates are valid from yesterday for ten years. */
export function createAuthority(commonName = 'prom-migrator test authority'): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sign = (subject: string, publicKey: KeyObject, isAuthority: boolean) =>
    certificate({ subject, issuer: commonName, publicKey, issuerKey: keys.privateKey, isAuthority });
  return {
    cert: sign(commonName, keys.publicKey, true),
    key: privatePem(keys.privateKey),
    issue(name) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return { cert: sign(name, publicKey, false), key: privatePem(privateKey) };
    },
  };
}

function privatePem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

interface Contents {
  subject: string;
  issuer: string;
  publicKey: KeyObject;
  issuerKey: KeyObject;
  isAuthority: boolean;
}

const DAY_MS = 86_400_000;
const SEQUENCE = 0x30;
const SET = 0x31;

/** RFC 5280: a version 3 certificate with the few extensions that Go and OpenSSL require for verification. */
function certificate({ subject, issuer, publicKey, issuerKey, isAuthority }: Contents): string {
  const algorithm = der(SEQUENCE, oid('1.2.840.10045.4.3.2'));
  const extensions = isAuthority
    ? [extension('2.5.29.19', der(SEQUENCE, der(0x01, Buffer.of(0xff))), true)]
    : [
        // iPAddress 127.0.0.1 and dNSName localhost; serverAuth and clientAuth.
        extension('2.5.29.17', der(SEQUENCE, der(0x87, Buffer.of(127, 0, 0, 1)), der(0x82, Buffer.from('localhost')))),
        extension('2.5.29.37', der(SEQUENCE, oid('1.3.6.1.5.5.7.3.1'), oid('1.3.6.1.5.5.7.3.2'))),
      ];
  const signed = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(0x01), randomBytes(15)])),
    algorithm,
    name(issuer),
    der(SEQUENCE, time(Date.now() - DAY_MS), time(Date.now() + 3650 * DAY_MS)),
    name(subject),
    publicKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, der(SEQUENCE, ...extensions)),
  );
  const signature = createSign('sha256').update(signed).sign(issuerKey);
  const whole = der(SEQUENCE, signed, algorithm, der(0x03, Buffer.of(0), signature));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return der(SEQUENCE, oid(id), ...(critical ? [der(0x01, Buffer.of(0xff))] : []), der(0x04, value));
}

function name(commonName: string): Buffer {
  return der(SEQUENCE, der(SET, der(SEQUENCE, oid('2.5.4.3'), der(0x0c, Buffer.from(commonName)))));
}

function time(atMs: number): Buffer {
  // UTCTime, with a two-digit year: valid until 2049.
  const digits = new Date(atMs).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}

function der(tag: number, ...contents: Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  const { length } = body;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), body]);
  if (length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, length), body]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), body]);
}
