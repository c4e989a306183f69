import { describe, expect, it } from 'vitest';
import { isConvertible } from '../../src/ept/virtualization-exception.js';
import { ACCESSES, contextWith, entriesWith, memoryWith, walkOf } from '../support/ept.js';
import {
  DATA,
  EPT_TABLES,
  type EptGuestOptions,
  guestMachine,
  INFORMATION,
  LOG,
  leafAddress,
  leafEntry,
  readEntry,
  writeEntry,
} from '../support/ept-guest.js';

const LOAD = [0x8b, 0x04, 0x25, 0x00, 0x00, 0x07, 0x00]; // mov eax, [DATA]
const STORE = [0x89, 0x04, 0x25, 0x00, 0x00, 0x07, 0x00]; // mov [DATA], eax
const [R, W, X] = [1n, 2n, 4n];
const [ACCESSED, DIRTY] = [0x100n, 0x200n];
const bit = (...numbers: readonly number[]): bigint =>
  numbers.reduce((all, number) => all | (1n << BigInt(number)), 0n);
/** Bits 7 and 8, and what the boot tables say of each page: user, writable, executable. */
const FINAL = bit(7, 8);
const ADVANCED = bit(9, 10, 11);

/** A guest whose data page has other rights. */
function withRights(code: readonly number[], rights: bigint, options: EptGuestOptions = {}) {
  const machine = guestMachine(code, options);
  writeEntry(machine, leafAddress(DATA), leafEntry(DATA, rights));
  return machine;
}

const exitOf = (outcome: unknown) => {
  const { reason, qualification, guestPhysicalAddress, guestLinearAddress, rule } = outcome as Record<string, bigint>;
  return { reason, rule, qualification: (qualification ?? 0n) & ~ADVANCED, guestPhysicalAddress, guestLinearAddress };
};

describe('an access that EPT refuses', () => {
  it.each([
    ['a load from a page that is not present', LOAD, 0n, FINAL | bit(0), 'vmx.ept.not-present'],
    ['a store to a page that is not present', STORE, 0n, FINAL | bit(1), 'vmx.ept.not-present'],
    ['a store to a page that can be read', STORE, R, FINAL | bit(1, 3), 'vmx.ept.rights'],
    ['a store to a page that can be read and executed', STORE, R | X, FINAL | bit(1, 3, 5), 'vmx.ept.rights'],
    ['a load from a page that can be executed', LOAD, X, FINAL | bit(0, 5), 'vmx.ept.rights'],
  ])('leaves the guest at %s', (_, code, rights, qualification, rule) => {
    const outcome = withRights(code, rights).processor(0).step();
    expect(exitOf(outcome)).toEqual({
      reason: 48,
      rule,
      qualification,
      guestPhysicalAddress: BigInt(DATA),
      guestLinearAddress: BigInt(DATA),
    });
  });

  it('leaves it at a fetch', () => {
    const machine = guestMachine([0xe9, 0xfb, 0xff, 0xf6, 0xff]); // jmp to the data
    writeEntry(machine, leafAddress(DATA), leafEntry(DATA, R | W));
    machine.processor(0).step();
    expect(machine.processor(0).read('RIP')).toBe(0x7_0001n);
    expect(exitOf(machine.processor(0).step())).toMatchObject({ reason: 48, qualification: FINAL | bit(2, 3, 4) });
  });

  it('tells what the guest pages say of the linear address', () => {
    const machine = withRights(LOAD, 0n);
    const outcome = machine.processor(0).step() as unknown as { qualification: bigint };
    const directory = readEntry(machine, guestTable(machine));
    expect((outcome.qualification & bit(9)) !== 0n).toBe((directory & 4n) !== 0n);
    expect(outcome.qualification & bit(10, 11)).toBe(bit(10));
  });

  it('leaves the guest with reason 49 and no qualification if an entry is misconfigured', () => {
    expect(exitOf(withRights(LOAD, W).processor(0).step())).toEqual({
      reason: 49,
      rule: 'vmx.ept.write-only',
      qualification: 0n,
      guestPhysicalAddress: BigInt(DATA),
      guestLinearAddress: undefined,
    });
  });

  it('counts a change of the entry at once', () => {
    const machine = withRights([...LOAD, ...LOAD], R);
    machine.processor(0).step();
    writeEntry(machine, leafAddress(DATA), leafEntry(DATA, 0n));
    expect(machine.processor(0).step()).toMatchObject({ kind: 'ept/exit', reason: 48 });
  });

  it('leaves the boundary of the instruction', () => {
    const machine = withRights([0x90, ...LOAD], 0n);
    machine.processor(0).step(2);
    expect(machine.processor(0).read('RIP')).toBe(0x10_0002n);
    expect(machine.state.processors[0]?.internal.guestMode).toBe(0n);
  });
});

/** The page of the guest's own page table that maps the first 2 MBytes, as the guest walks it. */
function guestTable(machine: ReturnType<typeof guestMachine>): number {
  const frame = (address: number) => Number(readEntry(machine, address) & 0xf_ffff_ffff_f000n);
  return frame(frame(Number(machine.processor(0).read('CR3'))));
}

describe("an access to the guest's paging structures", () => {
  /** With 4-KByte EPT pages under the guest's tables, the page directory gets other rights. */
  function withTableRights(rights: bigint, accessed: boolean, options: EptGuestOptions = {}) {
    const machine = guestMachine(LOAD, options);
    const directory = guestTable(machine);
    expect(directory).toBeLessThan(2 ** 21);
    const entry = readEntry(machine, directory) | 0x60n;
    writeEntry(machine, directory, accessed ? entry : entry ^ 0x20n);
    writeEntry(machine, leafAddress(directory), leafEntry(directory, rights));
    return { machine, directory };
  }

  it('is a read, without bit 8', () => {
    const { machine, directory } = withTableRights(0n, true);
    expect(exitOf(machine.processor(0).step())).toMatchObject({
      qualification: bit(0, 7),
      guestPhysicalAddress: BigInt(directory),
    });
  });

  it('is a write with accessed and dirty flags for EPT', () => {
    const { machine } = withTableRights(R, true, { accessedAndDirty: true });
    expect(exitOf(machine.processor(0).step())).toMatchObject({ qualification: bit(0, 1, 3, 7) });
  });

  it('is a write without them where an accessed flag is to be set', () => {
    const { machine } = withTableRights(R, false);
    expect(exitOf(machine.processor(0).step())).toMatchObject({ qualification: bit(0, 1, 3, 7) });
  });

  it('may be a read of a page that cannot be written, if the flags are set already', () => {
    const { machine } = withTableRights(R, true);
    expect(machine.processor(0).step()).toMatchObject({ kind: 'completed' });
  });
});

describe('accessed and dirty flags', () => {
  const flags = (machine: ReturnType<typeof guestMachine>, address: number) =>
    readEntry(machine, address) & (ACCESSED | DIRTY);

  it('are set in every entry of the walk, the dirty flag in the last by a store', () => {
    const machine = guestMachine([...LOAD, ...STORE], { accessedAndDirty: true });
    machine.processor(0).step();
    expect([0, 0x1000, 0x2000].map((table) => flags(machine, EPT_TABLES + table))).toEqual([
      ACCESSED,
      ACCESSED,
      ACCESSED,
    ]);
    expect(flags(machine, leafAddress(DATA))).toBe(ACCESSED);
    machine.processor(0).step();
    expect(flags(machine, leafAddress(DATA))).toBe(ACCESSED | DIRTY);
    expect(flags(machine, leafAddress(0x5000))).toBe(0n);
  });

  it('are set under the tables of the guest as by stores', () => {
    const machine = guestMachine(LOAD, { accessedAndDirty: true });
    const directory = guestTable(machine);
    machine.processor(0).step();
    expect(flags(machine, leafAddress(directory))).toBe(ACCESSED | DIRTY);
  });

  it('are left alone without bit 6 of the EPTP, and by an access that is refused', () => {
    const machine = guestMachine(STORE);
    machine.processor(0).step();
    expect(flags(machine, leafAddress(DATA))).toBe(0n);
    const refused = withRights(STORE, R, { accessedAndDirty: true });
    refused.processor(0).step();
    expect(flags(refused, leafAddress(DATA))).toBe(0n);
  });
});

describe('the page-modification log', () => {
  const options = { accessedAndDirty: true, logIndex: 511 } as const;
  const logged = (machine: ReturnType<typeof guestMachine>) =>
    Array.from({ length: 512 }, (_, index) => Number(readEntry(machine, LOG + 8 * index)));

  it('gets the page of each store that sets a dirty flag, once', () => {
    const machine = guestMachine([...STORE, ...STORE, ...LOAD], options);
    machine.processor(0).step(3);
    const log = logged(machine);
    expect(log.filter((page) => page === DATA)).toHaveLength(1);
    const used = log.lastIndexOf(0) + 1;
    expect(log.slice(used)).toContain(guestTable(machine)); // the walk wrote to the tables first
    expect(log.indexOf(DATA)).toBe(used);
  });

  it.each([512, 0xffff])('that is full (index %i) ends the guest before a flag is set', (logIndex) => {
    const machine = guestMachine(STORE, { accessedAndDirty: true, logIndex });
    const outcome = machine.processor(0).step();
    expect(exitOf(outcome)).toMatchObject({ reason: 62, qualification: 0n, rule: 'vmx.ept.log-full' });
    expect(readEntry(machine, EPT_TABLES) & (ACCESSED | DIRTY)).toBe(0n);
  });
});

describe('#VE', () => {
  const options = { virtualizationExceptions: true } as const;

  it('tells the guest of a violation, once until its busy word is cleared', () => {
    const machine = withRights(LOAD, 0n, options);
    const outcome = machine.processor(0).step() as unknown as { chain: readonly { vector: string }[] };
    expect(outcome.chain[0]).toMatchObject({ vector: '#VE', rule: 'vmx.ept.not-present' }); // there is no IDT behind it
    const area = [0, 8, 16, 24, 32].map((offset) => readEntry(machine, INFORMATION + offset));
    expect([area[0], (area[1] ?? 0n) & ~ADVANCED, ...area.slice(2)]).toEqual([
      0xffff_ffff_0000_0030n,
      FINAL | bit(0),
      BigInt(DATA),
      BigInt(DATA),
      5n,
    ]);
  });

  it('does not come while the area is busy', () => {
    const machine = withRights(LOAD, 0n, options);
    writeEntry(machine, INFORMATION, 0x1_0000_0000n);
    expect(machine.processor(0).step()).toMatchObject({ reason: 48 });
  });

  it('is suppressed by bit 63 of the entry', () => {
    const machine = withRights(LOAD, bit(63), options);
    expect(machine.processor(0).step()).toMatchObject({ reason: 48 });
  });

  it('does not come of an address that the tables cannot translate', () => {
    expect(isConvertible(walkOf(memoryWith({ walkLength: 4, shift: 12 }, []), contextWith({}), ACCESSES.read))).toBe(
      true,
    );
    const wide = walkOf(memoryWith({ walkLength: 4, shift: 12 }, []), contextWith({}), ACCESSES.read, 2 ** 50);
    expect(isConvertible(wide)).toBe(false);
  });

  it('does not tell of a misconfiguration', () => {
    expect(withRights(LOAD, W, options).processor(0).step()).toMatchObject({ reason: 49 });
  });
});

it('throws NotModelled where the table of sub-page write permissions would decide', () => {
  const machine = withRights(STORE, R | bit(61), { subPageWritePermissions: true });
  expect(() => machine.processor(0).step()).toThrow('sub-page write permissions');
  const ignored = withRights(STORE, R | bit(61));
  expect(ignored.processor(0).step()).toMatchObject({ reason: 48 });
});

it('decides about suppression by the entry that maps the page', () => {
  const path = { walkLength: 4, shift: 12 } as const;
  const walk = (suppressed: number) =>
    walkOf(
      memoryWith(
        path,
        entriesWith(path, (depth) => R | (depth === suppressed ? bit(63) : 0n)),
      ),
      contextWith({}),
      ACCESSES.write,
    );
  expect([0, 1, 2, 3].map((depth) => isConvertible(walk(depth)))).toEqual([true, true, true, false]);
});
