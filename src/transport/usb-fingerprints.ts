/** The known facts about one kind of USB serial device. */
interface UsbFingerprint {
  /** Four hexadecimal digits. Without `productIds` the row stands for every product of the vendor. */
  readonly vendorId: string;
  readonly productIds?: readonly string[];
  /** The name of the device or its chip. */
  readonly name: string;
  readonly score: number;
  /** The chip itself is the USB device. There is no wire behind it, so a baud rate has no meaning. */
  readonly ownUsb?: true;
}

/**
 * Scores of the similarity to one of our boards. Only a device that names this project gets the full score,
 * because many other devices have the same chips.
 */
export const SCORE = {
  /** The product or manufacturer text of the device names this project. */
  named: 100,
  /** A chip, or a USB port of a microcontroller, that boards often have. */
  usual: 20,
  /** Some other USB serial device. */
  usb: 10,
  /** A kind of device that is not a board: a modem, a receiver. */
  stranger: 1,
  /** Not on USB, or only a name is known. */
  none: 0,
} as const;

/** Smallest score at which a port counts as one of our boards before it has answered. */
export const SCORE_OURS_MIN = SCORE.named;

const OWN_NAME = /thermolink/i;

/** Sorted by vendor. We make no hardware yet, so no row scores above `usual`. */
const FINGERPRINTS: readonly UsbFingerprint[] = [
  { vendorId: '0403', productIds: ['6001'], name: 'FTDI FT232R', score: SCORE.usual },
  { vendorId: '0403', productIds: ['6010', '6011', '6014', '6015'], name: 'FTDI', score: SCORE.usual },
  { vendorId: '0483', productIds: ['5740'], name: 'STM32 USB port', score: SCORE.usual, ownUsb: true },
  { vendorId: '0483', productIds: ['374b', '374e', '3753'], name: 'ST-Link', score: SCORE.usual },
  { vendorId: '067b', name: 'Prolific PL2303', score: SCORE.usual },
  { vendorId: '0d28', productIds: ['0204'], name: 'DAPLink debugger', score: SCORE.usual },
  { vendorId: '10c4', productIds: ['ea60', 'ea70', 'ea71'], name: 'Silicon Labs CP210x', score: SCORE.usual },
  { vendorId: '1199', name: 'Sierra Wireless modem', score: SCORE.stranger },
  { vendorId: '12d1', name: 'Huawei modem', score: SCORE.stranger },
  { vendorId: '1366', name: 'J-Link debugger', score: SCORE.usual },
  { vendorId: '1546', name: 'u-blox receiver', score: SCORE.stranger },
  { vendorId: '16c0', productIds: ['0483'], name: 'Teensy', score: SCORE.usual, ownUsb: true },
  { vendorId: '1a86', productIds: ['5523', '55d3', '55d4', '7523'], name: 'WCH CH34x', score: SCORE.usual },
  { vendorId: '2341', name: 'Arduino', score: SCORE.usual },
  { vendorId: '2c7c', name: 'Quectel modem', score: SCORE.stranger },
  { vendorId: '2e8a', name: 'Raspberry Pi Pico', score: SCORE.usual, ownUsb: true },
  { vendorId: '303a', name: 'Espressif ESP32', score: SCORE.usual },
];

/** The texts of a port that the operating system passes on. */
export interface UsbTexts {
  readonly vendorId?: string | undefined;
  readonly productId?: string | undefined;
  readonly manufacturer?: string | undefined;
  readonly product?: string | undefined;
}

/** Returns score and name of a device. Ids are four lower-case hexadecimal digits. */
export function fingerprint({ vendorId, productId, manufacturer, product }: UsbTexts): {
  readonly score: number;
  readonly name: string | undefined;
} {
  const texts = [manufacturer, product].filter((text) => text !== undefined && text !== '').join(' ');
  if (OWN_NAME.test(texts)) return { score: SCORE.named, name: product || texts };
  if (vendorId === undefined || productId === undefined)
    return { score: SCORE.none, name: texts || undefined };
  const known = rowOf(vendorId, productId);
  return known === undefined
    ? { score: SCORE.usb, name: texts || undefined }
    : { score: known.score, name: known.name };
}

/** Whether a device is known to be a chip with its own USB port, for which a baud rate has no meaning. */
export function hasOwnUsb({ vendorId, productId }: UsbTexts): boolean {
  if (vendorId === undefined || productId === undefined) return false;
  return rowOf(vendorId, productId)?.ownUsb === true;
}

function rowOf(vendorId: string, productId: string): UsbFingerprint | undefined {
  return FINGERPRINTS.find(
    (row) =>
      row.vendorId === vendorId && (row.productIds === undefined || row.productIds.includes(productId)),
  );
}
