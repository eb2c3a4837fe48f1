import { EFFECT_RULES, PROFILE_RULES, type ProfileRule } from '../../emulator/profiles/profile-schema.js';

/** Fields of a profile and magnitudes of its effects: what each takes, in which unit. */
export function profileMarkdown(): string {
  const fields = Object.entries(PROFILE_RULES).map(
    ([name, rule]) => `| \`${name}\` | ${range(rule)} | ${unit(rule)} |`,
  );
  const magnitudes = Object.entries(EFFECT_RULES).flatMap(([effect, rules]) =>
    Object.entries(rules).map(
      ([name, rule]) => `| \`effects.${effect}.${name}\` | ${range(rule)} | ${unit(rule)} |`,
    ),
  );
  return ['| field | takes | unit |', '| --- | --- | --- |', ...fields, ...magnitudes].join('\n');
}

function range(rule: ProfileRule): string {
  if (rule.kind === 'flag') return 'true or false';
  if (rule.kind === 'text') return `1…${rule.max} ${rule.ascii ? 'ASCII ' : ''}characters`;
  const values = `${rule.min}…${rule.max}`;
  if (rule.powerOfTwo) return `${values}, a power of two`;
  return rule.multipleOf === undefined ? values : `${values}, a multiple of ${rule.multipleOf}`;
}

const unit = (rule: ProfileRule) => (rule.kind === 'integer' ? rule.unit : '');
