/** Pixels to the left and right of the plot area. */
export interface Margins {
  readonly leftPx: number;
  readonly rightPx: number;
}

/** Markup whose top left corner is (0, 0). */
export interface Drawing {
  readonly markup: string;
  readonly heightPx: number;
}

/** One panel of a figure. */
export interface Chart {
  readonly title: string;
  /**
   * The margins that the panel needs. The figure gives the widest margins to all panels, so that their axes
   * line up.
   */
  margins(widthPx: number): Margins;
  draw(widthPx: number, margins: Margins): Drawing;
}

/** A rectangle, pixels; y grows downwards. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}
