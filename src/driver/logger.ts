/**
 * What the driver needs of a logger; a pino logger is one. Objects are only made when the level is on: ask `isLevelEnabled`
 * before anything per frame.
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
