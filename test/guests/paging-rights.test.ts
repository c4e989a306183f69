// What the guest paging-rights is expected to print, computed from the manual a second time ("Determination of Access
// Rights", "Protection Keys", "Page-Fault Exceptions"): neither core's code nor QEMU has a part in it.
import { describe, expect, it } from 'vitest';
import { findGuests } from './guest.js';

/** Entries on the way to a page of 4 KBytes, of 2 MBytes, of 1 GByte. */
const ENTRIES = [
  ['4-KByte page', ['PML4E', 'PDPTE', 'PDE', 'PTE']],
  ['2-MByte page', ['PML4E', 'PDPTE', 'PDE']],
  ['1-GByte page', ['PML4E', 'PDPTE']],
] as const;
const ACCESSES = ['read', 'write', 'fetch'] as const;

interface Case {
  /** As the one restricted entry says; all others say 1, 1 and not XD. */
  readonly writable: boolean;
  readonly userPage: boolean;
  readonly executable: boolean;
  readonly NXE: boolean;
  readonly SMEP: boolean;
  readonly SMAP: boolean;
  readonly WP: boolean;
  readonly AC: boolean;
  readonly PKE: boolean;
  readonly AD: boolean;
  readonly WD: boolean;
  readonly user: boolean;
  readonly access: (typeof ACCESSES)[number];
}

/** The error code of the page fault; undefined if the access goes through. */
function errorCode(each: Case): number | undefined {
  const { access, user } = each;
  const basic =
    (access === 'write' ? 2 : 0) + (user ? 4 : 0) + (access === 'fetch' && (each.NXE || each.SMEP) ? 16 : 0);
  const executeDisable = !each.executable;
  if (executeDisable && !each.NXE) return 1 + 8 + basic; // bit 63 is reserved
  const keyRefuses =
    each.PKE &&
    each.userPage &&
    access !== 'fetch' &&
    (each.AD || (each.WD && access === 'write' && (user || each.WP)));
  const allowed = user ? isAllowedForUser(each) : isAllowedForSupervisor(each);
  return allowed && !keyRefuses ? undefined : 1 + basic + (keyRefuses ? 32 : 0);
}

function isAllowedForUser({ access, userPage, writable, executable }: Case): boolean {
  return userPage && (access === 'read' || (access === 'write' ? writable : executable));
}

function isAllowedForSupervisor({ access, userPage, writable, executable, SMEP, SMAP, WP, AC }: Case): boolean {
  if (access === 'fetch') return executable && !(userPage && SMEP);
  if (userPage && SMAP && !AC) return false;
  return access === 'read' || writable || !WP;
}

const bit = (value: number, index: number): boolean => Math.floor(value / 2 ** index) % 2 === 1;
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

/** Each line's cases with their names, in the order in which the guest tries them. */
function* lines(): IterableIterator<{ head: string; name: string; cases: readonly Case[] }> {
  for (const [size, [page, entries]] of ENTRIES.entries()) {
    for (const [index, entry] of entries.entries()) {
      for (const rights of range(8)) {
        for (const NXE of [false, true]) {
          const access = { writable: bit(rights, 0), userPage: bit(rights, 1), executable: bit(rights, 2), NXE };
          yield {
            head: `${size}${index}${rights}${NXE ? 1 : 0}:`,
            name: `${page}, ${entry}`,
            cases: controls().map((control) => ({ ...access, ...control })),
          };
        }
      }
    }
  }
}

function controls(): readonly Omit<Case, 'writable' | 'userPage' | 'executable' | 'NXE'>[] {
  return range(16 * 5 * 6).map((index) => {
    const [control, key, access] = [Math.floor(index / 30), Math.floor(index / 6) % 5, index % 6];
    return {
      SMEP: bit(control, 0),
      SMAP: bit(control, 1),
      WP: bit(control, 2),
      AC: bit(control, 3),
      PKE: key < 4,
      AD: bit(key, 0) || key === 4,
      WD: bit(key, 1) || key === 4,
      user: access >= 3,
      access: ACCESSES[access % 3] ?? 'read',
    };
  });
}

const printed = (code: number | undefined): string =>
  code === undefined ? '.' : String.fromCharCode(64 + (code >> 1));

describe('what the guest paging-rights prints', () => {
  it('is what the manual says of each of 69,120 accesses', () => {
    const guest = findGuests().find(({ name }) => name === 'paging-rights');
    const found = guest?.expected?.console['debugcon'] ?? [];
    const wrong: string[] = [];
    let count = 0;
    for (const { head, name, cases } of lines()) {
      const line = found[count++] ?? '';
      if (line.slice(0, head.length) !== head) wrong.push(`line ${count}: ${line.slice(0, head.length)} for ${head}`);
      for (const [index, each] of cases.entries()) {
        const [is, should] = [line[head.length + index] ?? 'nothing', printed(errorCode(each))];
        if (is !== should) wrong.push(`${name}: ${is} for ${should}: ${JSON.stringify(each)}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(found.slice(count)).toEqual(['']);
  });
});
