import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GuestFault } from '../../src/interrupt/exceptions.js';
import { type AccessKind, type PagingContext, walk } from '../../src/memory/paging.js';
import { FrameMap } from '../../src/state/frame-map.js';
import { PhysicalDraft } from '../../src/state/physical-draft.js';
import { Workbench } from '../../src/state/workbench.js';

const bench = new Workbench(256);
const dependents = { codeWritten: () => false, pageTableWritten: () => {}, slotsMoved: () => {} };

function memoryWith(entries: Readonly<Record<number, bigint>>): PhysicalDraft {
  const memory = new PhysicalDraft(bench, FrameMap.EMPTY, [{ start: 0, end: 2 ** 20 }], dependents);
  for (const [address, entry] of Object.entries(entries)) memory.write(Number(address), 8, entry);
  return memory;
}

const CONTEXT: PagingContext = {
  mode: '4-level',
  root: 0x1000,
  pdptes: [],
  user: false,
  writeProtect: true,
  executeDisable: true,
  smep: false,
  smap: false,
  userKeys: 0,
  supervisorKeys: 0,
  largePages: true,
  physicalBits: 46,
  upperGlobalReserved: false,
  a20Masked: false,
  guest: undefined,
};

interface Rights {
  readonly writable: boolean;
  readonly user: boolean;
  readonly executeDisable: boolean;
}

const bits = ({ writable, user, executeDisable }: Rights): bigint =>
  1n | (writable ? 2n : 0n) | (user ? 4n : 0n) | (executeDisable ? 1n << 63n : 0n);
const rights = fc.record({ writable: fc.boolean(), user: fc.boolean(), executeDisable: fc.boolean() });
const contexts = fc.record({
  user: fc.boolean(),
  writeProtect: fc.boolean(),
  executeDisable: fc.constant(true),
  smep: fc.boolean(),
  smap: fc.boolean(),
});
/** Rights registers that restrict some of the keys, often none. */
const keyRights = fc.oneof(fc.constant(0), fc.integer());
const accesses = fc.constantFrom<AccessKind>('read', 'write', 'fetch');

/** The manual's list of access rights, written from the text and not from the code. */
function allowed(
  access: AccessKind,
  { user, writeProtect, smep, smap }: Pick<PagingContext, 'user' | 'writeProtect' | 'smep' | 'smap'>,
  levels: readonly Rights[],
): boolean {
  const userPage = levels.every((level) => level.user);
  const writable = levels.every((level) => level.writable);
  const executable = !levels.some((level) => level.executeDisable);
  if (user) return userPage && (access === 'read' || (access === 'write' ? writable : executable));
  if (access === 'fetch') return executable && !(userPage && smep);
  if (userPage && smap) return false;
  return access === 'read' || writable || !writeProtect;
}

/** The manual's "Protection Keys", written from the text: whether the rights for the key of the page refuse the access. */
function isKeyRefused(
  access: AccessKind,
  { user, writeProtect }: Pick<PagingContext, 'user' | 'writeProtect'>,
  rights: number,
  key: number,
): boolean {
  const pair = Math.floor((rights >>> 0) / 4 ** key) % 4;
  if (access === 'fetch') return false;
  return pair % 2 === 1 || (pair >= 2 && access === 'write' && (user || writeProtect));
}

describe('4-level paging', () => {
  it('allows exactly the accesses that the rights of all levels together allow', () => {
    fc.assert(
      fc.property(
        rights,
        rights,
        rights,
        rights,
        contexts,
        accesses,
        (pml4, pdpt, directory, table, context, access) => {
          const levels = [pml4, pdpt, directory, table];
          const memory = memoryWith({
            4096: 0x2000n | bits(pml4),
            8192: 0x3000n | bits(pdpt),
            12288: 0x4000n | bits(directory),
            16392: 0x9000n | bits(table),
          });
          const attempt = () => walk(memory, { ...CONTEXT, ...context }, 0x1234, 0, access);
          if (allowed(access, context, levels)) expect(attempt()).toBe(0x9234);
          else {
            const code = 1 | (access === 'write' ? 2 : 0) | (context.user ? 4 : 0) | (access === 'fetch' ? 16 : 0);
            expect(faultOf(attempt)).toMatchObject({ vector: '#PF', errorCode: code, address: 0x1234n });
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('refuses data accesses by the key of the page, with PK in the error code, and no fetch', () => {
    fc.assert(
      fc.property(
        rights,
        contexts,
        accesses,
        keyRights,
        keyRights,
        fc.nat(15),
        (page, basic, access, user, supervisor, key) => {
          const context = { ...basic, userKeys: user, supervisorKeys: supervisor };
          const memory = memoryWith({
            4096: 0x2007n,
            8192: 0x3007n,
            12288: 0x4007n | (15n << 59n), // only the key of the entry that maps the page counts
            16392: 0x9000n | bits(page) | (BigInt(key) << 59n),
          });
          const byKey = isKeyRefused(access, context, page.user ? user : supervisor, key);
          const attempt = () => walk(memory, { ...CONTEXT, ...context }, 0x1234, 0, access);
          if (allowed(access, context, [page]) && !byKey) expect(attempt()).toBe(0x9234);
          else {
            const code =
              1 |
              (access === 'write' ? 2 : 0) |
              (context.user ? 4 : 0) |
              (access === 'fetch' ? 16 : 0) |
              (byKey ? 32 : 0);
            expect(faultOf(attempt)).toMatchObject({ vector: '#PF', errorCode: code });
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('masks bit 20 of the page and of every entry on the way while A20M# is asserted', () => {
    const memory = memoryWith({ 4096: 0x10_2003n, 8192: 0x10_3003n, 12288: 0x10_4003n, 16384: 0x30_9003n });
    expect(walk(memory, { ...CONTEXT, a20Masked: true }, 0x234, 0, 'read')).toBe(0x20_9234);
    expect(walk(memory, { ...CONTEXT, mode: 'none', a20Masked: true }, 0x10_0010, 0, 'read')).toBe(0x10);
  });

  it('sets the accessed flag on the way and the dirty flag at the page, for writes only', () => {
    const memory = memoryWith({ 4096: 0x2007n, 8192: 0x3007n, 12288: 0x4007n, 16384: 0x9007n });
    walk(memory, CONTEXT, 0, 0, 'read');
    expect([0x1000, 0x2000, 0x3000, 0x4000].map((address) => memory.read(address, 8))).toEqual([
      0x2027n,
      0x3027n,
      0x4027n,
      0x9027n,
    ]);
    walk(memory, CONTEXT, 0, 0, 'write');
    expect([0x3000, 0x4000].map((address) => memory.read(address, 8))).toEqual([0x4027n, 0x9067n]);
  });

  it('sets no flag when the access is refused', () => {
    const memory = memoryWith({ 4096: 0x2007n, 8192: 0x3007n, 12288: 0x4007n, 16384: 0x9005n });
    expect(faultOf(() => walk(memory, CONTEXT, 0, 0, 'write'))).toMatchObject({ errorCode: 3 });
    expect(memory.read(0x1000, 8)).toBe(0x2007n);
  });

  it('maps 2-MByte and 1-GByte pages', () => {
    const memory = memoryWith({ 4096: 0x2003n, 8192: 0x3003n, 12296: 0x4020_0083n, 8200: 0xc000_0083n });
    expect(walk(memory, CONTEXT, 0x0021_2345, 0, 'read')).toBe(0x4021_2345);
    expect(walk(memory, CONTEXT, 0x4abc_def0, 0, 'read')).toBe(0xcabc_def0);
  });

  it.each([
    ['an address above the physical width', { 4096: (1n << 46n) | 3n }],
    ['PS in a PML4 entry', { 4096: 0x2083n }],
    ['low address bits of a 2-MByte page', { 4096: 0x2003n, 8192: 0x3003n, 12288: 0x4000_2083n }],
  ])('takes #PF with RSVD for %s', (_, entries) => {
    expect(faultOf(() => walk(memoryWith(entries as Record<number, bigint>), CONTEXT, 0, 0, 'read'))).toMatchObject({
      vector: '#PF',
      errorCode: 9,
    });
  });

  it('takes #PF without P for an entry that is not present, whatever its other bits', () => {
    expect(faultOf(() => walk(memoryWith({ 4096: 0xffff_ffff_ffff_fffen }), CONTEXT, 0, 0, 'write'))).toMatchObject({
      vector: '#PF',
      errorCode: 2,
    });
  });
});

describe('32-bit paging', () => {
  it('walks two levels and maps 4-MByte pages with bits 39:32 from bits 20:13', () => {
    const memory = new PhysicalDraft(bench, FrameMap.EMPTY, [{ start: 0, end: 2 ** 20 }], dependents);
    memory.write(0x1000, 4, 0x2003n);
    memory.write(0x2004, 4, 0x7003n);
    memory.write(0x1004, 4, 0x0080_6083n);
    const context: PagingContext = { ...CONTEXT, mode: '32-bit', executeDisable: false };
    expect(walk(memory, context, 0x1abc, 0, 'read')).toBe(0x7abc);
    expect(walk(memory, context, 0x0040_0010, 0, 'read')).toBe(3 * 2 ** 32 + 0x0080_0010);
  });

  it('takes #PF with RSVD for bit 21 of a 4-MByte page', () => {
    const context: PagingContext = { ...CONTEXT, mode: '32-bit' };
    const walkWith = (entry: bigint) => () => walk(memoryWith({ 4096: entry }), context, 0, 0, 'read');
    expect(faultOf(walkWith(0x0060_0083n))).toMatchObject({ vector: '#PF', errorCode: 9 });
  });

  it('reserves the bits of a 4-MByte page above a physical-address width below 40', () => {
    const walkWith = (entry: bigint) => () =>
      walk(memoryWith({ 4096: entry }), { ...CONTEXT, mode: '32-bit', physicalBits: 36 }, 0, 0, 'read');
    expect(walkWith(0x0001_e083n)()).toBe(0xf_0000_0000);
    expect(faultOf(walkWith(0x0002_0083n))).toMatchObject({ vector: '#PF', errorCode: 9 });
  });

  it('tells a fetch in the error code only with SMEP, for NXE has no effect', () => {
    const fetch = (smep: boolean) => () =>
      walk(memoryWith({}), { ...CONTEXT, mode: '32-bit', smep }, 0x1234, 0, 'fetch');
    expect([faultOf(fetch(false)), faultOf(fetch(true))]).toMatchObject([{ errorCode: 0 }, { errorCode: 16 }]);
  });

  it('ignores bits 63:32 of CR3', () => {
    const context: PagingContext = { ...CONTEXT, mode: '32-bit', root: 2 ** 32 + 0x1000 };
    expect(walk(memoryWith({ 4096: 0x83n }), context, 0x1234, 0, 'read')).toBe(0x1234);
  });
});

describe('PAE paging', () => {
  it('starts from the PDPTE register that bits 31:30 choose', () => {
    const context: PagingContext = { ...CONTEXT, mode: 'PAE', root: 0, pdptes: [0n, 0n, 0x2001n, 0x3000n] };
    const memory = memoryWith({ 8192: 0x4000_0083n });
    expect(walk(memory, context, 0x8000_0123 | 0, 0, 'read')).toBe(0x4000_0123);
    expect(faultOf(() => walk(memory, context, 0xc000_0000 | 0, 0, 'write'))).toMatchObject({ errorCode: 2 });
  });

  it('takes #PF with RSVD for bits 62:52 of an entry, which 4-level paging ignores', () => {
    const ignored = 1n << 52n;
    const pae: PagingContext = { ...CONTEXT, mode: 'PAE', pdptes: [0x2001n, 0n, 0n, 0n] };
    const memory = memoryWith({ 8192: ignored | 0x83n });
    expect(faultOf(() => walk(memory, pae, 0, 0, 'read'))).toMatchObject({ errorCode: 9 });
    const fourLevels = memoryWith({ 4096: 0x2003n, 8192: ignored | 0x83n });
    expect(walk(fourLevels, CONTEXT, 0x1234, 0, 'read')).toBe(0x1234);
  });
});

function faultOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof GuestFault) return thrown.raised;
    throw thrown;
  }
}
