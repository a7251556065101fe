// The responses that proxies, ingresses and load balancers send in place of the server behind them. Pure.

import { gzipSync } from 'node:zlib';
import type { ReplyName } from '../fault-kinds.ts';
import type { Message } from './http-message.ts';

const REASONS: Readonly<Record<string, string>> = {
  301: 'Moved Permanently',
  404: 'Not Found',
  408: 'Request Timeout',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
};

function page(title: string): Buffer {
  return Buffer.from(`<html>\r\n<head><title>${title}</title></head>\r\n<body><h1>${title}</h1></body>\r\n</html>\r\n`);
}

/** The generated response; `now` is for a Retry-After with a date. */
export function replyOf(name: ReplyName, now: number): Message {
  const html = ['content-type', 'text/html; charset=utf-8'];
  if (name === 'html') return { status: 200, rawHeaders: html, body: page('Down for maintenance') };
  if (name === '202') return { status: 202, rawHeaders: [], body: Buffer.alloc(0) };
  if (name === 'gzip') {
    return {
      status: 200,
      rawHeaders: ['content-type', 'text/plain', 'content-encoding', 'gzip'],
      body: gzipSync('OK\n'),
    };
  }
  const status = Number.parseInt(name, 10);
  const rawHeaders = [...html];
  if (status === 301) rawHeaders.push('location', 'https://login.example/');
  if (name === '429-retry-after') rawHeaders.push('retry-after', '1');
  if (name === '503-retry-after') rawHeaders.push('retry-after', new Date(now + 1000).toUTCString());
  return { status, rawHeaders, body: page(`${status} ${REASONS[status]}`) };
}
