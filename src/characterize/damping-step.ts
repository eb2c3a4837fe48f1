/** The board keeps conductances, and with them a cell's whole damping, to this, in G_fs. */
export const DAMPING_STEP = 2 ** -15;
