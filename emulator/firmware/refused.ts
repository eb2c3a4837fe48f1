import type { RefusalCode } from '../../firmware-protocol/messages/system.js';

/** Thrown by a handler: the command was not executed, and the host is told why. */
export class Refused {
  readonly reason: RefusalCode;
  readonly detail: string;

  constructor(reason: RefusalCode, detail: string) {
    this.reason = reason;
    this.detail = detail;
  }
}
