/**
 * A logger as the driver uses it; a pino logger is one. Code that logs each frame asks `isLevelEnabled`
 * before it makes an object. Errors: no method may throw.
 */
export interface Logger {
  /** Whether messages of a level are logged. */
  isLevelEnabled(level: 'trace' | 'debug' | 'info' | 'warn'): boolean;
  /** Every frame, both ways. */
  trace(facts: object, message: string): void;
  /** Steps of a call, for debugging. */
  debug(facts: object, message: string): void;
  /** Sessions that open, resume and end. */
  info(facts: object, message: string): void;
  /** A problem that the driver has overcome. */
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
