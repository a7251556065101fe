// AWS for the tests: STS, which issues temporary keys, and AMP, which checks the signature of each request before it passes it on to a store.
// Both have a clock of their own, and know keys that can be withdrawn.

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import { listening, type TestServer } from '../../remote/servers.ts';
import { amzDateMs, parseAuthorization, type ReceivedRequest, signatureOf } from './signature-v4.ts';

export interface AwsAccount {
  /** The time by the clocks of AWS. */
  readonly now: () => number;
  /** Secret keys by access key. */
  readonly keys: Map<string, AwsKey>;
}

interface AwsKey {
  readonly secretKey: string;
  readonly sessionToken?: string;
  readonly endMs?: number;
}

/** Requests with an older or newer signature are rejected. */
const TOLERANCE_MS = 4 * 60_000;

/** What is wrong with a request, in the words of AWS; undefined: nothing. */
export function problemOf(request: ReceivedRequest, account: AwsAccount, service: string): string | undefined {
  const { headers } = request;
  const authorization = parseAuthorization(String(headers['authorization'] ?? ''));
  if (authorization === undefined) return 'MissingAuthenticationTokenException: Missing Authentication Token';
  const key = account.keys.get(authorization.accessKey);
  if (key === undefined) return 'UnrecognizedClientException: The security token included in the request is invalid.';
  if (key.sessionToken !== undefined && headers['x-amz-security-token'] !== key.sessionToken)
    return 'UnrecognizedClientException: The security token included in the request is invalid.';
  if (key.endMs !== undefined && account.now() >= key.endMs)
    return 'ExpiredTokenException: The security token included in the request is expired';
  const dateMs = amzDateMs(String(headers['x-amz-date']));
  if (!(Math.abs(dateMs - account.now()) <= TOLERANCE_MS))
    return `InvalidSignatureException: Signature expired: ${String(headers['x-amz-date'])}`;
  const isComplete = ['host', 'x-amz-date', ...(key.sessionToken === undefined ? [] : ['x-amz-security-token'])].every(
    (name) => authorization.signedHeaders.includes(name),
  );
  const { region, date } = authorization;
  const scope = { ...authorization, service };
  const isRight =
    isComplete &&
    region === 'eu-central-1' &&
    String(headers['x-amz-date']).startsWith(date) &&
    signatureOf(request, scope, key.secretKey) === authorization.signature;
  return isRight
    ? undefined
    : `SignatureDoesNotMatch: The request signature we calculated does not match. Token: ${String(headers['x-amz-security-token'])}`;
}

export interface FakeAws extends TestServer {
  /** Each request in the order of arrival, with what was wrong with it. */
  readonly seen: { readonly target: string; readonly accessKey: string; readonly problem: string | undefined }[];
}

/** AMP's API below /workspaces/ws-1, in front of a store that has it at /. */
export async function startFakeAmp(
  account: AwsAccount,
  storeUrl: string,
  onRequest: (target: string) => void = () => undefined,
): Promise<FakeAws> {
  return await startFakeAws(account, 'aps', (received, response) => {
    onRequest(received.target);
    const path = received.target
      .replace(/^\/workspaces\/ws-1/, '')
      .replace(/^\/api\/v1\/remote_write/, '/api/v1/write');
    const { host: _, connection: __, ...headers } = received.headers;
    const forwarded = httpRequest(`${storeUrl}${path}`, { method: received.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, { ...answer.headers, date: new Date(account.now()).toUTCString() });
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    forwarded.end(received.body);
  });
}

export interface FakeSts extends FakeAws {
  /** How long the next keys live. */
  lifeMs: number;
  /** The forms that were sent. */
  readonly forms: URLSearchParams[];
}

/** Issues keys that the account then knows. With a web identity the request is not signed. */
export async function startFakeSts(account: AwsAccount): Promise<FakeSts> {
  const forms: URLSearchParams[] = [];
  const server = await startFakeAws(account, 'sts', ({ body }, response) => {
    const form = new URLSearchParams(Buffer.from(body).toString());
    forms.push(form);
    const accessKey = `ASIAEXAMPLE${forms.length}`;
    const secretKey = createHash('sha256').update(accessKey).digest('base64');
    const sessionToken = `session-${forms.length}-/+=`;
    const endMs = account.now() + sts.lifeMs;
    account.keys.set(accessKey, { secretKey, sessionToken, endMs });
    const action = form.get('Action');
    response.writeHead(200, { 'content-type': 'text/xml', date: new Date(account.now()).toUTCString() });
    response.end(`<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>
  <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/writer/prom-migrator</Arn></AssumedRoleUser>
  <Credentials>
    <AccessKeyId>${accessKey}</AccessKeyId><SecretAccessKey>${secretKey}</SecretAccessKey>
    <SessionToken>${sessionToken}</SessionToken><Expiration>${new Date(endMs).toISOString()}</Expiration>
  </Credentials></${action}Result></${action}Response>`);
  });
  const sts: FakeSts = Object.assign(server, { forms, lifeMs: 3_600_000 });
  return sts;
}

async function startFakeAws(
  account: AwsAccount,
  service: string,
  serve: (received: ReceivedRequest, response: ServerResponse) => void,
): Promise<FakeAws> {
  const seen: FakeAws['seen'] = [];
  const server = createServer(async (incoming: IncomingMessage, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of incoming) pieces.push(piece as Buffer);
    const { method = '', url: target = '', headers } = incoming;
    const received = { method, target, headers, body: Buffer.concat(pieces) };
    const isUnsigned = service === 'sts' && /\bAction=AssumeRoleWithWebIdentity\b/.test(received.body.toString());
    const problem = isUnsigned ? undefined : problemOf(received, account, service);
    const accessKey = parseAuthorization(String(headers.authorization ?? ''))?.accessKey ?? '';
    seen.push({ target, accessKey, problem });
    if (problem === undefined) return serve(received, response);
    const [code = '', message = ''] = problem.split(/: (.*)/s);
    const isXml = service === 'sts';
    response.writeHead(403, {
      'content-type': isXml ? 'text/xml' : 'application/json',
      date: new Date(account.now()).toUTCString(),
    });
    response.end(
      isXml
        ? `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`
        : JSON.stringify({ message: `${code}: ${message}` }),
    );
  });
  const started = await listening(server);
  return Object.assign(started, { seen });
}
