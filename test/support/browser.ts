// A headless Chromium for tests of pages, driven over two pipes by its DevTools protocol: no port, no network of its own. Everything that a
// page does wrong is collected: requests, console messages, exceptions.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { findChromium } from './chromium.ts';

export interface PageView {
  readonly width: number;
  readonly colours: 'light' | 'dark';
  readonly media?: 'screen' | 'print';
}

export interface ViewedPage extends AsyncDisposable {
  /** URLs of all requests, that of the page itself included. */
  readonly requests: readonly string[];
  /** Console messages, log entries and exceptions. */
  readonly complaints: readonly string[];
  /** PNG of the whole page. */
  readonly screenshot: Buffer;
  /** The value of a JavaScript expression in the page. */
  readonly evaluate: (expression: string) => Promise<unknown>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

const TIMEOUT_MS = 60_000;
const SCREEN_HEIGHT = 900;

export class Browser implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #waiting = new Map<
    number,
    { resolve: (result: Record<string, unknown>) => void; reject: (error: Error) => void }
  >();
  readonly #listeners = new Set<(message: Message) => void>();
  #nextId = 1;
  #said = '';

  private constructor(child: ChildProcess, profile: string) {
    this.#process = child;
    this.#profile = profile;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = `${this.#said}${text}`.slice(-4_000);
    });
    child.on('exit', (code, signal) => this.#fail(`the browser ended with ${code ?? signal}:\n${this.#said}`));
    child.on('error', (error) => this.#fail(error.message));
    let rest = '';
    (child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop() ?? '';
      for (const message of messages) this.#received(JSON.parse(message) as Message);
    });
  }

  static async start(): Promise<Browser> {
    const { path, env } = await findChromium();
    const profile = await mkdtemp(join(tmpdir(), 'prom-migrator-browser-'));
    const args = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
      '--hide-scrollbars',
      '--remote-debugging-pipe',
      `--user-data-dir=${profile}`,
    ];
    return new Browser(spawn(path, args, { env, stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] }), profile);
  }

  /** Loads the page in a tab of its own. */
  async view(url: string, { width, colours, media = 'screen' }: PageView): Promise<ViewedPage> {
    const { targetId } = await this.#send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.#send('Target.attachToTarget', { targetId, flatten: true });
    const tab = (method: string, params: object = {}) => this.#send(method, params, String(sessionId));
    const requests: string[] = [];
    const complaints: string[] = [];
    const loaded = new Promise<void>((resolve) => {
      this.#listeners.add((message) => {
        if (message.sessionId !== sessionId) return;
        const { method, params = {} } = message;
        if (method === 'Page.loadEventFired') resolve();
        if (method === 'Network.requestWillBeSent') requests.push((params['request'] as { url: string }).url);
        if (/^(?:Runtime\.(?:consoleAPICalled|exceptionThrown)|Log\.entryAdded)$/.test(method ?? ''))
          complaints.push(JSON.stringify(params));
      });
    });
    for (const domain of ['Page', 'Network', 'Runtime', 'Log']) await tab(`${domain}.enable`);
    await tab('Emulation.setDeviceMetricsOverride', {
      width,
      height: SCREEN_HEIGHT,
      deviceScaleFactor: 1,
      mobile: false,
    });
    await tab('Emulation.setEmulatedMedia', { media, features: [{ name: 'prefers-color-scheme', value: colours }] });
    await tab('Page.navigate', { url });
    await loaded;
    const { data } = await tab('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
    const evaluate = async (expression: string) => {
      const { result } = await tab('Runtime.evaluate', { expression, returnByValue: true });
      return (result as { value?: unknown }).value;
    };
    const close = async () => void (await this.#send('Target.closeTarget', { targetId }));
    const screenshot = Buffer.from(String(data), 'base64');
    return { requests, complaints, screenshot, evaluate, [Symbol.asyncDispose]: close };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill('SIGKILL');
      await ended;
    }
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #send(method: string, params: object, sessionId?: string): Promise<Record<string, unknown>> {
    const id = this.#nextId++;
    const message = { id, method, params, ...(sessionId !== undefined && { sessionId }) };
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => reject(new Error(`${method}: no response\n${this.#said}`)), TIMEOUT_MS);
      this.#waiting.set(id, {
        resolve(result) {
          clearTimeout(timeout);
          resolve(result);
        },
        reject(error) {
          clearTimeout(timeout);
          reject(error);
        },
      });
      (this.#process.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`);
    });
  }

  #received(message: Message): void {
    const waiting = this.#waiting.get(message.id ?? 0);
    if (waiting === undefined) for (const listener of this.#listeners) listener(message);
    else {
      this.#waiting.delete(message.id ?? 0);
      if (message.error === undefined) waiting.resolve(message.result ?? {});
      else waiting.reject(new Error(message.error.message));
    }
  }

  #fail(text: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(text));
    this.#waiting.clear();
  }
}
