import { z } from 'zod';
import { profileSchema } from '../../emulator/profiles/profile-schema.js';

/** A JSON schema. This project adds `unit` and `note`. */
type Schema = z.core.JSONSchema.BaseSchema & { readonly unit?: string; readonly note?: string };

/**
 * Makes a Markdown table of the fields of a profile, with the allowed values and the unit of each field. The
 * magnitudes of the effects follow as further rows.
 */
export function profileMarkdown(): string {
  const { effects, measured: _, ...fields } = properties(z.toJSONSchema(profileSchema, { io: 'input' }));
  const magnitudes = Object.entries(properties(effects)).flatMap(([effect, schema]) =>
    rows(`effects.${effect}.`, properties(schema)).slice(0, -1),
  );
  return ['| field | takes | unit |', '| --- | --- | --- |', ...rows('', fields), ...magnitudes].join('\n');
}

/** Returns the fields of an object. The schema may also allow null in place of the object. */
function properties(schema: Schema): Record<string, Schema> {
  const object = schema.anyOf?.[0];
  return (object ? properties(object) : schema.properties) as Record<string, Schema>;
}

function rows(prefix: string, fields: Record<string, Schema>): string[] {
  return Object.entries(fields).map(
    ([name, schema]) => `| \`${prefix}${name}\` | ${range(schema)} | ${schema.unit ?? ''} |`,
  );
}

function range(schema: Schema): string {
  const { type, minimum, maximum, minLength, maxLength, multipleOf } = schema;
  if (type === 'boolean') return 'true or false';
  if (type === 'string') return `${minLength}…${maxLength} ${schema.note ?? ''} characters`;
  const notes = [multipleOf === undefined ? [] : `a multiple of ${multipleOf}`, schema.note ?? []].flat();
  return [`${minimum}…${maximum}`, ...notes].join(', ');
}
