// Nested paging (APM, "Nested Paging"): guest-physical addresses go through page tables at N_CR3, in the format that the
// host's mode has at VMRUN. Every access counts as one of a user; those to the guest's own tables count as writes. A refusal is
// #VMEXIT(NPF), whatever is intercepted.
import {
  type Cpu,
  CR0,
  CR4,
  EFER,
  type Guest,
  GuestFault,
  type PagingContext,
  type PagingMode,
  type SecondLevel,
  type SecondLevelAccess,
  takeOver,
  walk,
} from '@retrovisor/core';
import { exitCode } from './exit-codes.js';
import { instructionBytes } from './instruction-bytes.js';
import { lowWord, numberIn } from './processor-registers.js';
import { exitGuest, hasNestedPaging } from './world-switch.js';

const NPF = exitCode('NPF');
/** Bits 33:32 of EXITINFO1: what was translated. */
const FINAL = 1n << 32n;
const PAGE_WALK = 1n << 33n;
/** Bit 2 of the error code: every access counts as one of a user. */
const USER = 4;
const GMET = 8;

const mask = (bit: number): number => 1 << bit;

function modeOf(cr0: number, cr4: number, efer: number): PagingMode {
  if ((cr0 & mask(CR0.bits.PG)) === 0) return 'none';
  if ((cr4 & mask(CR4.bits.PAE)) === 0) return '32-bit';
  if ((efer & mask(EFER.bits.LMA)) === 0) return 'PAE';
  return (cr4 & mask(CR4.bits.LA57)) === 0 ? '4-level' : '5-level';
}

/** Addresses that the format of the tables reaches. */
const REACH: Readonly<Record<PagingMode, number>> = {
  none: 0,
  '32-bit': 2 ** 32,
  PAE: 2 ** 32,
  '4-level': 2 ** 48,
  '5-level': 2 ** 53,
};

/** The host's tables, as far as they decide a translation. */
interface NestedContext extends PagingContext {
  readonly gmet: boolean;
}

function contextOf(cpu: Cpu): NestedContext {
  const [cr0, cr4, efer] = [lowWord(cpu, 'HOST_CR0'), lowWord(cpu, 'HOST_CR4'), lowWord(cpu, 'HOST_EFER')];
  return {
    mode: modeOf(cr0, cr4, efer),
    root: numberIn(cpu, 'N_CR3'),
    pdptes: [],
    user: true,
    writeProtect: true,
    executeDisable: (efer & mask(EFER.bits.NXE)) !== 0,
    smep: (cr4 & mask(CR4.bits.SMEP)) !== 0, // of a user it says only that fetches are told apart
    smap: false,
    userKeys: 0,
    supervisorKeys: 0,
    largePages: (cr4 & mask(CR4.bits.PSE)) !== 0,
    physicalBits: cpu.profile.physicalAddressWidth,
    upperGlobalReserved: true,
    a20Masked: false,
    guest: undefined,
    gmet: (lowWord(cpu, 'NP_CONTROL') & GMET) !== 0,
  };
}

/** PAE tables begin with four entries that are read at each walk: no register keeps them. */
function withPdptes(cpu: Cpu, context: NestedContext): PagingContext {
  if (context.mode !== 'PAE') return context;
  const table = context.root - (context.root % 32);
  return { ...context, pdptes: [0, 8, 16, 24].map((offset) => cpu.draft.memory.read(table + offset, 8)) };
}

/**
 * Guest mode execute trap: of a fetch by a supervisor of the guest, an entry's U/S says whether it is refused, as with SMEP;
 * otherwise U/S counts for fetches alone.
 */
function privilegeOf(context: NestedContext, { kind, user }: SecondLevelAccess): Partial<PagingContext> {
  if (!context.gmet) return {};
  return kind === 'fetch' ? { user, smep: true } : { user: false, smep: false };
}

function translate(cpu: Cpu, context: NestedContext, address: number, access: SecondLevelAccess): number {
  const kind = access.purpose === 'page walk' ? 'write' : access.kind;
  if (address >= REACH[context.mode]) return nestedPageFault(cpu, address, access, kind === 'write' ? 2 : 0);
  const walked = { ...withPdptes(cpu, context), ...privilegeOf(context, access) };
  try {
    return walk(cpu.draft.memory, walked, address | 0, Math.floor(address / 2 ** 32) | 0, kind);
  } catch (thrown) {
    if (!(thrown instanceof GuestFault)) throw thrown;
    return nestedPageFault(cpu, address, access, thrown.raised.errorCode ?? 0);
  }
}

function nestedPageFault(_cpu: Cpu, address: number, access: SecondLevelAccess, errorCode: number): never {
  const info1 = BigInt(errorCode | USER) | (access.purpose === 'final' ? FINAL : PAGE_WALK);
  return takeOver((cpu) =>
    exitGuest(cpu, {
      code: NPF,
      info1,
      info2: BigInt(address),
      ...(access.kind === 'fetch' ? {} : { bytes: instructionBytes(cpu) }),
    }),
  );
}

/** A translation of one processor with what it was made from: as long as that stays, what the TLB holds stays. */
interface Known {
  readonly key: string;
  readonly level: SecondLevel;
}

const known = new WeakMap<Cpu, Known>();

/** The second level of the guest that a processor runs. */
function nestedLevelOf(cpu: Cpu): SecondLevel {
  const context = contextOf(cpu);
  const key = `${context.mode} ${context.root} ${context.executeDisable} ${context.largePages} ${context.smep} ${context.gmet}`;
  const last = known.get(cpu);
  if (last?.key === key) return last.level;
  const level: SecondLevel = {
    translate: (asking, address, access) => translate(asking, context, address, access),
    readsPdptes: true,
  };
  known.set(cpu, { key, level });
  return level;
}

/** What the guest of a processor wants; its translations are told apart by ASID and nested tables. */
export function guestOf(cpu: Cpu): Guest {
  const space = lowWord(cpu, 'ASID');
  if (!hasNestedPaging(cpu)) return { tag: { space, tables: 0 } };
  return { secondLevel: nestedLevelOf(cpu), tag: { space, tables: numberIn(cpu, 'N_CR3') } };
}
