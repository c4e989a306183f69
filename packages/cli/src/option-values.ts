// From words on the command line to values. What cannot be read is refused with what would be.
import { InvalidArgumentError } from 'commander';

const SIZE_UNITS: Readonly<Record<string, number>> = { '': 2 ** 20, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Bytes, as QEMU reads `-m`: MiB unless a unit is said, `64`, `64M`, `1.5G`. */
export function parseSize(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]?)(?:i?b)?$/i.exec(text) ?? [];
  const bytes = Number(number) * (SIZE_UNITS[unit.toLowerCase()] ?? Number.NaN);
  if (number !== '' && Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new InvalidArgumentError('A size such as 64M or 1G is expected (MiB if no unit is said).');
}

/** A whole number from 0 to 2^53 - 1, decimal or with 0x; underscores may group its digits. */
export function parseCount(text: string): number {
  const plain = text.replaceAll('_', '');
  const value = Number(plain);
  if (/^(0x[0-9a-f]+|\d+)$/i.test(plain) && Number.isSafeInteger(value)) return value;
  const most = Number.MAX_SAFE_INTEGER;
  throw new InvalidArgumentError(`A whole number from 0 to ${most} is expected, decimal or with 0x.`);
}

const MOST_SEED = 2 ** 32 - 1;

/** `round-robin`, or `random:` and a seed of 32 bits. */
export function parseSchedule(text: string): { readonly random: number } | undefined {
  if (text === 'round-robin') return undefined;
  const [, digits] = /^random:(\d+)$/.exec(text) ?? [];
  if (digits !== undefined && Number(digits) <= MOST_SEED) return { random: Number(digits) };
  throw new InvalidArgumentError(`round-robin or random:SEED is expected, with a seed from 0 to ${MOST_SEED}.`);
}

/** Seconds, fractions allowed. */
export function parseSeconds(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0) return value;
  throw new InvalidArgumentError('A number of seconds above 0 is expected.');
}

/** One of some words. */
export function parseOneOf<const Words extends readonly string[]>(words: Words): (text: string) => Words[number] {
  return (text) => {
    if (words.includes(text)) return text;
    throw new InvalidArgumentError(`One of ${words.join(', ')} is expected.`);
  };
}

/** An option that may be given several times. */
export function parseList(text: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), text];
}
