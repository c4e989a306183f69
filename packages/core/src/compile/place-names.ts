// Names of what lies in the hot memory, for those who read generated code: registers, pending flags, entries of the TLB, and
// the words by which the runner and generated code talk to each other.
import { TLB_BYTES, TLB_ENTRY, tlbBank } from '../memory/tlb-layout.js';
import { SLOT } from '../register/register-file.js';
import {
  ACCESSES_WORD,
  ATTENTION_WORD,
  GENERATION_WORD,
  INTERRUPTED_WORD,
  MODE_WORD,
  TLB_OFFSET,
  VALID_PAGES_OFFSET,
} from '../state/workbench.js';
import { PENDING_ADDRESS, REGISTER_BYTES } from './layout.js';
import type { TextLine } from './wasm/text.js';

const REGISTERS: ReadonlyMap<number, string> = new Map(
  Object.entries(SLOT).map(([name, slot]) => [slot * REGISTER_BYTES, name] as const),
);
const OTHERS: ReadonlyMap<number, string> = new Map([
  ...Object.entries(PENDING_ADDRESS).map(([name, address]) => [address, `pending flags: ${name}`] as const),
  ...[false, true].flatMap((user) =>
    (['read', 'write'] as const).flatMap((kind) => {
      const bank = tlbBank(user, kind);
      const name = `TLB, ${kind}, ${user ? 'user' : 'supervisor'}`;
      return [
        [bank + TLB_ENTRY.tag, `${name}: page`] as const,
        [bank + TLB_ENTRY.addend, `${name}: where it is`] as const,
      ];
    }),
  ),
  [GENERATION_WORD * 4, 'generation of the TLB'],
  [INTERRUPTED_WORD * 4, 'interrupted'],
  [ACCESSES_WORD * 4, 'where the next access is recorded'],
  [MODE_WORD * 4, 'mode of the code'],
  [ATTENTION_WORD * 4, 'something may wait'],
]);
const ACCESS = /^\S+\.(?<kind>load|store)\S*(?: offset=(?<offset>\d+))?/;
const CONSTANT_BASE = 'i32.const 0';

/** What the access of a line is to; undefined for lines that access nothing. `before` are the lines before it. */
export function accessName({ text }: TextLine, before: readonly TextLine[]): string | undefined {
  const access = ACCESS.exec(text)?.groups;
  if (access === undefined) return undefined;
  if (access['kind'] === 'store' && before.at(-1)?.text === 'i32.add') return 'record of an access';
  if (access['offset'] !== undefined) return placeName(Number(access['offset']));
  // At offset 0 there is RAX; the guest's memory is accessed with a base alone. A value stands between base and store.
  const base = before.at(access['kind'] === 'load' ? -1 : -2);
  return base?.text === CONSTANT_BASE ? placeName(0) : 'memory of the guest';
}

/** The name of an address in the hot memory. */
function placeName(address: number): string | undefined {
  const page = (address - VALID_PAGES_OFFSET) / 4;
  if (address >= TLB_OFFSET + TLB_BYTES && address >= VALID_PAGES_OFFSET && address < INTERRUPTED_WORD * 4)
    return `generation in which page ${page} was seen`;
  return REGISTERS.get(address) ?? OTHERS.get(address);
}
