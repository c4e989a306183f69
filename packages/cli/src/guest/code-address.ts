// The address of an option: a number, or a symbol of the image that runs.
import { elfSymbols, isElf } from '@retrovisor/core';
import { UsageError } from '../input-error.js';
import { readInput } from './input-file.js';

const NUMBER = /^(?:0x[0-9a-f]+|\d+)$/i;
/** Names that an error lists. */
const MOST_NAMES = 8;

/** The linear address that some text means for an image or script. @throws UsageError UNKNOWN_SYMBOL, InputError */
export function codeAddress(text: string, path: string): bigint {
  const plain = text.replaceAll('_', '');
  if (NUMBER.test(plain)) return BigInt(plain);
  const bytes = readInput(path);
  const symbols = isElf(bytes) ? elfSymbols(bytes) : new Map<string, bigint>();
  const address = symbols.get(text);
  if (address !== undefined) return address;
  const alike = [...symbols.keys()]
    .filter((name) => name.toLowerCase().includes(text.toLowerCase()))
    .slice(0, MOST_NAMES);
  const known =
    symbols.size === 0 ? `${path} has no symbols` : `${path} has ${symbols.size} symbols, none of that name`;
  const hint = alike.length === 0 ? '' : `; such as ${alike.join(', ')}`;
  throw new UsageError(
    'UNKNOWN_SYMBOL',
    { symbol: text, path, symbols: symbols.size, alike },
    `${text} is no address, and ${known}${hint}: a number, decimal or with 0x, is accepted, or a symbol`,
  );
}
