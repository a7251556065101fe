// The logger: winston with lines of our own making (log-text.ts), so that no secret and no control character can get through.
// The commands make one at start and hand it down.

import { Writable } from 'node:stream';
import winston from 'winston';
import type { Clock } from './clock.ts';
import { formatJsonLine, formatTextLine, type LogFields } from './log-text.ts';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_FORMATS = ['text', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Colours for the level's name, text format only. */
  readonly colour: boolean;
  readonly clock: Pick<Clock, 'now'>;
  /** Takes one whole line, without its line end. */
  readonly write: (line: string) => void;
}

const COLOURS: Readonly<Record<string, number>> = { error: 31, warn: 33, info: 32, debug: 2 };

function colourLevel(level: string, text: string): string {
  return `\u001b[${COLOURS[level] ?? 0}m${text}\u001b[0m`;
}

/** A logger that writes each line at once, from inside the call. */
export function createLogger(options: LoggerOptions): Logger {
  const { clock, format, colour, write } = options;
  const stream = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      write(line.endsWith('\n') ? line.slice(0, -1) : line);
      done();
    },
  });
  const toLine = winston.format.printf((info) => {
    // Winston glues a field called `message` to the message: the fields travel in one of their own.
    const fields = (info['fields'] ?? {}) as LogFields;
    const message = String(info.message);
    return format === 'json'
      ? formatJsonLine(clock.now(), info.level, message, fields)
      : formatTextLine(clock.now(), info.level, message, fields, colour ? colourLevel : undefined);
  });
  const logger = winston.createLogger({
    levels: Object.fromEntries(LOG_LEVELS.map((level, index) => [level, index])),
    level: options.level,
    format: toLine,
    transports: [new winston.transports.Stream({ stream, eol: '\n' })],
    exitOnError: false,
  });
  const log =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      logger.log({ level, message, fields });
    };
  return { error: log('error'), warn: log('warn'), info: log('info'), debug: log('debug') };
}
