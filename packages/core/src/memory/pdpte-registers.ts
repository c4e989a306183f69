// SDM, "PDPTE Registers": PAE paging reads the four page-directory-pointer-table entries when CR3 is loaded and when paging
// is switched on or changed, and keeps them. Stores to the table in memory count from the next load on.
import { guestOf, type SecondLevelAccess } from '../plugin/guest-mode.js';
import { CR0, CR4 } from '../register/control-registers.js';
import { slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';
import { maskA20 } from './paging.js';

const NAMES = ['PDPTE0', 'PDPTE1', 'PDPTE2', 'PDPTE3'] as const;
const SLOTS = NAMES.map(slotOf);
const PRESENT = 1n;
/** Bits 2:1 and 8:5. */
const ALWAYS_RESERVED = 0x1e6n;
/** Bits 31:5 of CR3: the table is aligned to 32 bytes, and bits 63:32 are ignored. */
const TABLE_ADDRESS = 0xffff_ffe0n;

const mask = (...bits: readonly number[]): bigint => bits.reduce((all, bit) => all | (1n << BigInt(bit)), 0n);
/** A change of one of these bits loads the registers. */
const LOADING = {
  CR0: mask(CR0.bits.CD, CR0.bits.NW, CR0.bits.PG),
  CR4: mask(CR4.bits.PAE, CR4.bits.PGE, CR4.bits.PSE, CR4.bits.SMEP),
} as const;

/** The registers of a processor. */
export const pdptesOf = (cpu: Cpu): readonly bigint[] => SLOTS.map((slot) => cpu.readSlot(slot));

/** What a write of a control register loads into them; undefined if it loads nothing. */
export function pdptesLoadedBy(
  cpu: Cpu,
  register: 'CR0' | 'CR3' | 'CR4',
  value: bigint,
): readonly bigint[] | undefined {
  const after = { CR0: cpu.CR0.value, CR3: cpu.CR3, CR4: cpu.CR4.value, [register]: value };
  const usesPae = (after.CR0 & mask(CR0.bits.PG)) !== 0n && (after.CR4 & mask(CR4.bits.PAE)) !== 0n && !cpu.EFER.LME;
  if (!usesPae || cpu.draft.guest?.secondLevel?.readsPdptes === true) return undefined;
  if (register !== 'CR3' && ((cpu.read(register) ^ value) & LOADING[register]) === 0n) return undefined;
  return pdptesInMemory(cpu, after.CR3);
}

/** The table is aligned: its entries are on one page. */
const LOAD: SecondLevelAccess = {
  kind: 'read',
  purpose: 'PDPTE load',
  linear: undefined,
  user: false,
  page: undefined,
};

/** The table that a value of CR3 points to. */
export function pdptesInMemory(cpu: Cpu, cr3: bigint): readonly bigint[] {
  const table = Number(cr3 & TABLE_ADDRESS);
  const first = cpu.read('A20M') === 0n ? table : maskA20(table);
  const { secondLevel } = guestOf(cpu) ?? {};
  const physical = secondLevel === undefined ? first : secondLevel.translate(cpu, first, LOAD);
  return NAMES.map((_, index) => cpu.draft.memory.read(physical + index * 8, 8));
}

/** Whether an entry that is present has a reserved bit set: bits 2:1, 8:5 and those above the physical-address width. */
export function havePdptesReservedBits(cpu: Cpu, pdptes: readonly bigint[]): boolean {
  const above = BigInt.asUintN(64, -1n << BigInt(cpu.profile.physicalAddressWidth));
  return pdptes.some((pdpte) => (pdpte & PRESENT) !== 0n && (pdpte & (ALWAYS_RESERVED | above)) !== 0n);
}

/** Gives the registers their values. */
export function setPdptes(cpu: Cpu, pdptes: readonly bigint[]): void {
  for (const [index, name] of NAMES.entries()) cpu.set(name, pdptes[index] ?? 0n);
}
