/**
 * A logger as the driver uses it; a pino logger is one. Code that logs each frame asks `isLevelEnabled`
 * before it makes an object.
 */
export interface Logger {
  isLevelEnabled(level: 'trace' | 'debug' | 'info' | 'warn'): boolean;
  trace(facts: object, message: string): void;
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

const nothing = (): void => undefined;

/** Logs nothing. */
export const SILENT_LOGGER: Logger = {
  isLevelEnabled: () => false,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
};
