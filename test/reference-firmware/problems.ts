/**
 * Problems for comparing implementations of the device model, in the orders that tools/digest.c explains.
 * Every one is loaded, run, and asked for its state digest.
 */
export interface Problem {
  readonly name: string;
  readonly orders: readonly string[];
}

/** A board of `cells` × `rows` with a tick of τ/16, otherwise like the ideal boards. */
const board = (cells: number, rows: number, tickLog2 = 4): string =>
  `board ${cells} ${rows} ${tickLog2} 20971520 4 16`;

interface System {
  readonly bits?: number;
  readonly attenuation?: number;
  readonly largest?: number;
  readonly diagonal?: number;
  readonly drive?: number;
  readonly registers?: string;
  readonly bank?: number;
}

const NOISE = '16384 20011 12';

/** A dense system that is diagonally dominant. */
function dense(cells: number, seed: number, system: System = {}): string[] {
  const { bits = 16, bank = 0, drive = 4000, registers = NOISE } = system;
  const full = 2 ** (bits - 1) - 1;
  const diagonal = system.diagonal ?? Math.floor(full / 2);
  const largest = system.largest ?? Math.max(1, Math.floor(diagonal / (2 * cells)));
  return [
    `program ${bank} 0 ${cells} ${cells} ${bits} 0`,
    `couplings ${bank} random ${seed} ${largest} ${diagonal}`,
    `drive ${bank} random ${seed + 1} ${drive}`,
    `initial ${bank} random ${seed + 2} 12000`,
    `registers ${bank} ${registers}`,
    `commit ${bank}`,
  ];
}

function factored(cells: number, rows: number, seed: number, system: System = {}): string[] {
  const { bits = 16, attenuation = 0, bank = 0, drive = 2000, registers = NOISE } = system;
  const largest = system.largest ?? Math.min(2 ** (bits - 1) - 1, 6000);
  return [
    `program ${bank} 1 ${cells} ${rows} ${bits} ${attenuation}`,
    `couplings ${bank} random ${seed} ${largest} 0`,
    `drive ${bank} random ${seed + 1} ${drive}`,
    `initial ${bank} random ${seed + 2} 6000`,
    `registers ${bank} ${registers}`,
    `commit ${bank}`,
  ];
}

interface Rows {
  readonly linear: number;
  /** Largest node, and largest row drive. */
  readonly table: number;
  readonly drive: number;
}

/** A factored system whose rows have a random element and random drives. */
function withElement(cells: number, rows: number, seed: number, of: Rows, system: System = {}): string[] {
  const [program, ...rest] = factored(cells, rows, seed, system);
  const codes = [`row-table 0 random ${seed + 3} ${of.table}`, `row-drive 0 random ${seed + 4} ${of.drive}`];
  return [`${program} ${of.linear}`, ...codes, ...rest];
}

const run = (ticks: number, seed = 7, firstTick = 0): string[] => [
  `start 0 ${seed} ${firstTick} load`,
  `ticks ${ticks}`,
  'digest',
  'adc',
];

function* all(): Generator<Problem> {
  for (const cells of [1, 2, 3, 8, 15, 16, 17, 64, 255, 256])
    yield {
      name: `dense, ${cells} cells`,
      orders: ['die 3', board(cells, cells), ...dense(cells, cells), ...run(60)],
    };
  yield { name: 'dense, 1024 cells', orders: ['profile ideal-1024', ...dense(1024, 5), ...run(12)] };
  for (const [cells, rows] of [
    [1, 1],
    [8, 3],
    [3, 8],
    [17, 33],
    [64, 64],
    [256, 65],
    [1024, 31],
  ])
    yield {
      name: `factored, ${rows} × ${cells}`,
      orders: [board(cells, rows), ...factored(cells, rows, rows), ...run(40)],
    };
  yield {
    name: 'factored, 129 rows of all 8192 cells',
    orders: ['profile ideal-crossbar', ...factored(8192, 129, 9, { largest: 400 }), ...run(4)],
  };
  for (let bits = 4; bits <= 16; bits++) {
    yield {
      name: `dense, couplings of ${bits} bits`,
      orders: [board(9, 9), ...dense(9, bits, { bits }), ...run(40)],
    };
    yield {
      name: `factored, couplings of ${bits} bits`,
      orders: [board(9, 5), ...factored(9, 5, bits, { bits, drive: 500 }), ...run(40)],
    };
  }
  for (let shift = 8; shift <= 24; shift++)
    yield {
      name: `noise of every amplitude at shift ${shift}`,
      orders: [
        board(21, 21),
        ...[0, 12288, 18000, 24575].flatMap((a) => [
          ...dense(21, shift, { registers: `0 ${a} ${shift}` }),
          ...run(20, a + shift),
        ]),
      ],
    };
  for (let attenuation = 0; attenuation <= 12; attenuation++)
    yield {
      name: `rows attenuated by 2^${attenuation}`,
      orders: [board(20, 2), ...factored(20, 2, attenuation, { attenuation, largest: 30000 }), ...run(30)],
    };
  for (let tickLog2 = 2; tickLog2 <= 8; tickLog2++)
    yield {
      name: `tick of 2^-${tickLog2} τ`,
      orders: [board(12, 12, tickLog2), ...dense(12, tickLog2), ...run(30)],
    };
  for (const [range, bits] of [
    [1, 16],
    [2, 12],
    [4, 8],
  ])
    yield {
      name: `drive of ${bits} bits over ±${range}`,
      orders: [
        `board 6 6 5 20971520 ${range} ${bits}`,
        ...dense(6, 6, { drive: 2 ** (bits - 1) }),
        ...run(30),
      ],
    };
  for (const [cells, rows, linear, table, drive, system] of [
    [1, 1, 0, 32767, 0, {}],
    [8, 3, 1, 20000, 3000, { attenuation: 2 }],
    [17, 33, 0, 9000, 500, {}],
    [64, 64, 20, 32767, 32767, { bits: 8, largest: 100 }],
    [256, 65, 64, 32767, 32767, { largest: 32767, drive: 32767 }],
    [33, 130, 17, 30000, 9000, { attenuation: 5, largest: 30000 }],
    [9, 40, 40, 0, 20000, { bits: 4, largest: 7 }],
  ] as const)
    yield {
      name: `row element, ${rows - linear} of ${rows} rows × ${cells}`,
      orders: [
        board(cells, rows),
        ...withElement(cells, rows, rows + 40, { linear, table, drive }, system),
        ...run(40),
        'state',
      ],
    };
  for (const damping of [0, 1, 16384, 4294967295])
    yield {
      name: `damping ${damping}`,
      orders: [board(7, 4), ...factored(7, 4, 4, { registers: `${damping} 0 8` }), ...run(25)],
    };
  yield {
    name: 'saturation: cells at their rails, over a low rail too',
    orders: [20480, 100, 1].flatMap((rail) => [
      `board 6 6 4 ${rail * 1024} 4 16`,
      ...dense(6, 8, { diagonal: 2000, drive: 32767 }),
      ...run(200),
      'state',
    ]),
  };
  yield {
    name: 'saturation: row amplifiers at theirs, codes at theirs',
    orders: [
      board(40, 6),
      ...factored(40, 6, 2, { largest: 32767, drive: 32767 }),
      'initial 0 random 4 32767',
      'couplings 0 random 5 32767 0',
      'commit 0',
      ...run(50),
      'state',
    ],
  };
  yield {
    name: 'couplings that are clamped',
    orders: [
      board(2, 2),
      'program 0 0 2 2 16 0',
      'couplings 0 -32768 5 5 32767',
      'drive 0 -32768 32767',
      'initial 0 32767 -32768',
      'commit 0',
      ...run(5),
    ],
  };
  yield {
    name: 'overload: halts after its tick, goes on when marked',
    orders: [
      board(6, 6),
      ...dense(6, 8, { diagonal: 2000, drive: 32767 }),
      'start 0 1 0 load',
      'ticks 1000 halt',
      'digest',
      'start 0 1 50 keep',
      'ticks 1000 halt',
      'digest',
      'ticks 30',
      'digest',
    ],
  };
  yield {
    name: 'two banks and a state that is kept',
    orders: [
      board(16, 16),
      ...dense(16, 1),
      ...factored(11, 5, 2, { bank: 1 }),
      'start 0 4 0 load',
      'ticks 20',
      'digest',
      'start 1 4 20 keep',
      'ticks 20',
      'digest',
      'start 0 4 40 keep',
      'ticks 20',
      'digest',
      'start 1 5 0 load',
      'ticks 20',
      'digest',
      'state',
    ],
  };
  yield {
    name: 'resumed in slices, one tick and many',
    orders: [
      board(19, 19),
      ...dense(19, 3),
      'start 0 9 100 load',
      ...[1, 1, 5, 0, 33].flatMap((ticks) => [`ticks ${ticks}`, 'digest']),
      'start 0 9 140 keep',
      'ticks 10',
      'digest',
    ],
  };
  for (const [name, tick] of [
    ['2³²', 2 ** 32 - 5],
    ['2⁵²', 2 ** 52 - 5],
    ['the last tick', Number.MAX_SAFE_INTEGER - 10],
  ] as const)
    yield {
      name: `noise across ${name}`,
      orders: [board(20, 20), ...dense(20, 11), ...run(10, 4294967295, tick)],
    };
}

export const PROBLEMS: readonly Problem[] = [...all()];
