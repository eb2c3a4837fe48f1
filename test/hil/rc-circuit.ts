import type { RP2040 } from 'rp2040js';
import { testRandom } from '../support/network-examples.js';

const CELLS = 3;
const SUPPLY_V = 3.3;
/** PWM of the RP2040 (datasheet 4.5): registers of a slice, in words. */
const SLICE_WORDS = 5;
const [CSR, DIV, CC, TOP] = [0, 1, 3, 4];
const DIVIDE_BY_ONE = 1 << 4;
const CYCLE_S = 8e-9;
const PWM_FUNCTION = 4;
const PAD_OF_PIN_0 = 0x4001c004;
const FIRST_ADC_PIN = 26;
/** The bits of a pad that switch its pulls, its input and its output. */
const PAD_ANALOG_MASK = 0b11001100;
/** The value of these bits for an analog input: no pulls, no digital input, and the output is disabled. */
const PAD_ANALOG = 1 << 7;
const CODES = 4096;
const CONVERSION_NS = 2000;

/** The firmware of rc-3 appears on USB only after its calibration. By this time the calibration is over. */
export const RC_POWER_ON_NS = 400e6;

/** The parts of a board. Each list has one entry for each cell. */
export interface RcParts {
  /** R·C of each cell. */
  readonly tauS: readonly number[];
  /** The error added to each reading. */
  readonly offsetV: readonly number[];
  /** Standard deviation of a reading, in codes of 12 bits. */
  readonly noiseCodes: number;
  /** The seed of the noise. */
  readonly seed: number;
}

/** 10 kΩ · 1 µF within ±3 %, offsets within ±6 mV. */
export const BOUGHT_PARTS: RcParts = {
  tauS: [0.0097, 0.0103, 0.0101],
  offsetV: [0.004, -0.006, 0.006],
  noiseCodes: 1.2,
  seed: 1,
};

/** The capacitors of a board, and the mistakes of the firmware with the pins. */
export interface RcCircuit {
  /** The present voltages of the capacitors in volts, relative to half the supply. */
  readonly volts: () => number[];
  readonly faults: ReadonlySet<string>;
}

/**
 * Connects three RC low-passes to a Pico. GPIO 2, 4, 6 drive them, and GPIO 26, 27, 28 read them. Capacitors
 * are empty at first. Between changes of an output the mean voltage relaxes exactly, and a reading adds the
 * ripple of the pulses in first order of period/τ. A capacitor keeps its voltage while its output is off. A
 * changed duty acts at once. In a real chip it acts within 16 µs. The supply is also the reference voltage of
 * the ADC. All steps of the ADC have equal width.
 */
export function rcCircuit(mcu: RP2040, parts: RcParts): RcCircuit {
  const random = testRandom(parts.seed);
  const faults = new Set<string>();
  const registers = new Uint32Array(8 * SLICE_WORDS);
  const volts = new Float64Array(CELLS);
  let lastNs = mcu.clock.nanos;

  const register = (cell: number, name: number) => registers[(cell + 1) * SLICE_WORDS + name];
  const isDriven = (cell: number) =>
    mcu.gpio[2 * cell + 2].functionSelect === PWM_FUNCTION && (register(cell, CSR) & 1) === 1;
  const periodS = (cell: number) => (register(cell, TOP) + 1) * CYCLE_S;
  const duty = (cell: number) => Math.min(1, (register(cell, CC) & 0xffff) / (register(cell, TOP) + 1));

  function pass(): void {
    const seconds = (mcu.clock.nanos - lastNs) / 1e9;
    lastNs = mcu.clock.nanos;
    for (let i = 0; i < CELLS; i++) {
      if (!isDriven(i)) continue;
      const mean = SUPPLY_V * duty(i);
      volts[i] = mean + (volts[i] - mean) * Math.exp(-seconds / parts.tauS[i]);
    }
  }

  function ripple(cell: number): number {
    const d = duty(cell);
    if (!isDriven(cell) || d === 0 || d === 1) return 0;
    const phase = (mcu.clock.nanos / 1e9 / periodS(cell)) % 1;
    const height = (SUPPLY_V * d * (1 - d) * periodS(cell)) / parts.tauS[cell];
    return height * (phase < d ? phase / d - 0.5 : 0.5 - (phase - d) / (1 - d));
  }

  // The pulses themselves are not simulated: at 61 kHz they would take most of the simulation's time.
  mcu.pwm.writeUint32 = (offset, value) => {
    pass();
    const word = offset / 4;
    if (word >= registers.length) throw new Error(`PWM: register ${offset} is not simulated`);
    registers[word] = value;
    if (word % SLICE_WORDS === DIV && value !== DIVIDE_BY_ONE) faults.add('PWM: its clock is divided');
  };
  mcu.adc.onADCRead = (channel) => {
    pass();
    if (channel >= CELLS) throw new Error(`ADC: nothing is soldered to input ${channel}`);
    const pad = mcu.readUint32(PAD_OF_PIN_0 + 4 * (FIRST_ADC_PIN + channel));
    if ((pad & PAD_ANALOG_MASK) !== PAD_ANALOG) faults.add('ADC: the pad of its pin is not set to analog');
    const seen = volts[channel] + ripple(channel) + parts.offsetV[channel];
    const code = Math.floor((CODES * seen) / SUPPLY_V + parts.noiseCodes * random.normal());
    mcu.adc.channelValues[channel] = Math.max(0, Math.min(CODES - 1, code));
    mcu.adc.currentChannel = channel;
    mcu.adc.sampleAlarm.schedule(CONVERSION_NS);
  };
  return {
    volts: () => {
      pass();
      return Array.from(volts, (v) => v - SUPPLY_V / 2);
    },
    faults,
  };
}
