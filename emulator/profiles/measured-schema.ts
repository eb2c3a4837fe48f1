import { IMPERFECTION_LIST } from '../imperfections/table.js';
import { type IntegerRule, integer } from './profile-schema.js';

/** A list of integers: one per cell, one per crosspoint of the forward array, or some cells with what belongs to them. */
export interface ListRule extends IntegerRule {
  readonly each: 'cell' | 'crosspoint' | 'named';
}

/** The lists of every effect that has any, by its name. */
export const MEASURED_RULES: Readonly<Record<string, Readonly<Record<string, ListRule>>>> =
  Object.fromEntries(
    IMPERFECTION_LIST.flatMap(([name, { measured }]) =>
      measured === undefined
        ? []
        : [
            [
              name,
              Object.fromEntries(
                Object.entries(measured).map(([field, { each, min, max, unit }]) => [
                  field,
                  { ...integer(min, max, unit), each },
                ]),
              ),
            ],
          ],
    ),
  );
