/** The array sees v in steps of 2¹⁰ LSB: 2⁻¹⁴ V_fs, also the unit of an initial state. */
export const ARRAY_STEP = 1024;
