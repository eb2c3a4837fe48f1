/** One row of the operating system's list of serial ports, as it comes. */
export interface SerialRow {
  /** What opens it: /dev/ttyUSB0, /dev/tty.usbmodem1101, COM10. */
  readonly path: string;
  /** Hexadecimal digits, in either case. */
  readonly vendorId?: string | undefined;
  readonly productId?: string | undefined;
  readonly serialNumber?: string | undefined;
  readonly manufacturer?: string | undefined;
  /** The device's own name for itself (Linux). */
  readonly product?: string | undefined;
  /** The driver's name for it (Windows). */
  readonly friendlyName?: string | undefined;
  /** A path that survives replugging: /dev/serial/by-id/… (Linux with udev). */
  readonly stablePath?: string | undefined;
  /** Whether this user may open it, where that is known without opening it. */
  readonly access?: 'allowed' | 'denied' | undefined;
  /** The group whose members may open it (Linux). */
  readonly group?: string | undefined;
  /** The programs that hold it open, as far as this user may see them (Linux). */
  readonly holders?: readonly string[] | undefined;
}

export interface SerialListing {
  readonly platform: NodeJS.Platform;
  readonly rows: readonly SerialRow[];
  /** Whether ModemManager runs, which talks to new ports (Linux). */
  readonly hasModemManager?: boolean;
}

/** Lists the serial ports of this machine without opening any. */
export type ListSerialPorts = () => Promise<SerialListing>;

/**
 * `ours`: a board of ours, by its own word. `unknown`: may be one. `busy`: another program holds it. `no permission`:
 * this user may not open it.
 */
export type Verdict = 'ours' | 'unknown' | 'busy' | 'no permission';
