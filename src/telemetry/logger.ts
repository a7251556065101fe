// The logger: winston's levels, formats and stream. The formats first remove secrets from a line, then add the time, then write it as text
// or JSON (log-text.ts) without control characters.

import { Writable } from 'node:stream';
import winston from 'winston';
import type { Clock } from './clock.ts';
import { LOG_LEVELS, type LogFormat, type LogLevel } from './log-options.ts';
import {
  formatJsonLine,
  formatTextLine,
  type LogFields,
  type PresentableLine,
  presentableFields,
  presentableText,
} from './log-text.ts';

export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Whether the level's name is coloured. Text format only. */
  readonly colour: boolean;
  readonly clock: Pick<Clock, 'now'>;
  /** Takes one whole line, without its newline. */
  readonly write: (line: string) => void;
}

const COLOURS: Readonly<Record<LogLevel, string>> = { error: 'red', warn: 'yellow', info: 'green', debug: 'dim' };

/** A logger that writes each line synchronously, inside the call. */
export function createLogger(options: LoggerOptions): Logger {
  const { clock, format, colour, write } = options;
  const { combine, timestamp, printf, colorize } = winston.format;
  const paint = colorize({ colors: COLOURS });
  const toText = (line: PresentableLine) => {
    const shownLevel = line.level.padEnd(5);
    return formatTextLine(line, colour ? paint.colorize(line.level, shownLevel) : shownLevel);
  };
  const toLine = format === 'json' ? formatJsonLine : toText;
  const stream = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      write(line.endsWith('\n') ? line.slice(0, -1) : line);
      done();
    },
  });
  const logger = winston.createLogger({
    levels: Object.fromEntries(LOG_LEVELS.map((level, index) => [level, index])),
    level: options.level,
    format: combine(
      makePresentable(),
      timestamp({ format: () => new Date(clock.now()).toISOString() }),
      printf((info) => toLine(info as unknown as PresentableLine)),
    ),
    transports: [new winston.transports.Stream({ stream, eol: '\n' })],
    exitOnError: false,
  });
  const written = LOG_LEVELS.slice(0, LOG_LEVELS.indexOf(options.level) + 1);
  const log =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      // Winston would format the line before it looks at the level.
      if (!written.includes(level)) return;
      // Winston appends a field called `message` to the message, so the fields are passed in a field of their own.
      logger.log({ level, message, fields });
    };
  return { error: log('error'), warn: log('warn'), info: log('info'), debug: log('debug') };
}

/** The first format: later formats see no secret and no text without a length limit. */
const makePresentable = winston.format((info) => {
  info.message = presentableText(String(info.message));
  info['fields'] = presentableFields((info['fields'] ?? {}) as LogFields);
  return info;
});
