/** One row of the operating system's list of serial ports, with the values as the system gives them. */
export interface SerialRow {
  /** The path for opening the port: /dev/ttyUSB0, /dev/tty.usbmodem1101, COM10. */
  readonly path: string;
  /** Hexadecimal digits, in either case. */
  readonly vendorId?: string | undefined;
  readonly productId?: string | undefined;
  readonly serialNumber?: string | undefined;
  readonly manufacturer?: string | undefined;
  /** The name from the device itself (Linux). */
  readonly product?: string | undefined;
  /** The name from the driver (Windows). */
  readonly friendlyName?: string | undefined;
  /**
   * The link that names the device: /dev/serial/by-id/… (Linux with udev). Devices of one kind without serial
   * numbers share one link, which leads to the device that was plugged in last.
   */
  readonly stablePath?: string | undefined;
  /** The link that names the socket of the device: /dev/serial/by-path/… (Linux with udev). */
  readonly placePath?: string | undefined;
  /** Whether this user may open the port; undefined if the system does not tell this without opening it. */
  readonly access?: 'allowed' | 'denied' | undefined;
  /** The group whose members may open the port (Linux). */
  readonly group?: string | undefined;
  /** The programs that hold the port open, as far as this user can see them (Linux). */
  readonly holders?: readonly string[] | undefined;
}

/** The serial ports of a machine, as the operating system lists them. */
export interface SerialListing {
  readonly platform: NodeJS.Platform;
  readonly rows: readonly SerialRow[];
  /** Whether ModemManager runs (Linux). It writes to new ports. */
  readonly hasModemManager?: boolean;
}

/** Lists the serial ports of this machine without opening any. */
export type ListSerialPorts = () => Promise<SerialListing>;

/**
 * `ours`: the device names itself as one of our boards. `unknown`: the device may be a board or not. `busy`:
 * another program holds the port. `no permission`: this user may not open the port.
 */
export type Verdict = 'ours' | 'unknown' | 'busy' | 'no permission';
