// SDM, "System Instructions": HLT, the cache and TLB instructions, and STAC and CLAC. Control, debug and model-specific
// registers, descriptor tables and SYSCALL have files of their own. Caches are not modelled: to write back or to drop them
// is only checked.
import { raise, UD } from '../interrupt/exceptions.js';
import { apm } from '../manual/apm.js';
import { type SdmTitle, sdm } from '../manual/sdm.js';
import { loadLinear, storeLinear } from '../memory/system-access.js';
import { currentPcid } from '../memory/translation-buffer.js';
import { defineInstruction, type FaultRow } from './define.js';
import { operandAt, privileged } from './privilege.js';

export const HLT = defineInstruction({
  mnemonic: 'HLT',
  manual: sdm('HLT—Halt'),
  reads: ['SS.attributes'],
  writes: ['activity'],
  flags: 'unaffected',
  faults: [privileged('HLT')],
  intrinsics: { hlt: { operands: [] } },
  effect(cpu) {
    cpu.activity = 'HLT';
    return { kind: 'halted' };
  },
});

/** Of several processors the next one has its turn: whoever spins waits for one of them. */
export const PAUSE = defineInstruction({
  mnemonic: 'PAUSE',
  manual: sdm('PAUSE—Spin Loop Hint'),
  reads: [],
  writes: [],
  flags: 'unaffected',
  effect(cpu) {
    cpu.draft.runner.yield();
  },
});

export const WHOLE_CACHE = (
  [
    ['INVD', 'INVD—Invalidate Internal Caches'],
    ['WBINVD', 'WBINVD—Write Back and Invalidate Cache'],
    ['WBNOINVD', 'WBNOINVD—Write Back and Do Not Invalidate Cache'],
  ] as const satisfies readonly (readonly [string, SdmTitle])[]
).map(([mnemonic, title]) =>
  defineInstruction({
    mnemonic,
    manual: sdm(title),
    reads: ['SS.attributes'],
    writes: [],
    flags: 'unaffected',
    faults: [privileged(mnemonic)],
    effect: () => undefined,
  }),
);

/** The address is used like that of a byte that is read. */
export const CACHE_LINE = (
  [
    ['CLFLUSH', 'CLFLUSH—Flush Cache Line'],
    ['CLFLUSHOPT', 'CLFLUSHOPT—Flush Cache Line Optimized'],
    ['CLWB', 'CLWB—Cache Line Write Back'],
  ] as const satisfies readonly (readonly [string, SdmTitle])[]
).map(([mnemonic, title]) =>
  defineInstruction({
    mnemonic,
    manual: sdm(title),
    reads: [],
    writes: [],
    flags: 'unaffected',
    effect(cpu, operands) {
      const address = operandAt(operands, 0).linear('read');
      if (address !== undefined) loadLinear(cpu, address, 1);
    },
  }),
);

const CACHE_LINE_BYTES = 64n;

export const CLZERO = defineInstruction({
  mnemonic: 'CLZERO',
  manual: apm('CLZERO Zero Cache Line'),
  reads: ['RAX'],
  writes: [],
  flags: 'unaffected',
  /** The line that holds the address in rAX; it lies in one page, so that the first store faults or none does. */
  effect(cpu, operands) {
    const address = operandAt(operands, 0).linear('write') ?? 0n;
    const line = address & ~(CACHE_LINE_BYTES - 1n);
    for (let offset = 0n; offset < CACHE_LINE_BYTES; offset += 8n) storeLinear(cpu, line + offset, 8, 0n);
  },
});

/** There is no system-management mode to resume from. */
export const RSM = defineInstruction({
  mnemonic: 'RSM',
  manual: sdm('RSM—Resume From System Management Mode'),
  reads: [],
  writes: [],
  flags: 'unaffected',
  effect: () => raise(UD, 'core.rsm.mode'),
});

export const INVLPG = defineInstruction({
  mnemonic: 'INVLPG',
  manual: sdm('INVLPG—Invalidate TLB Entries'),
  reads: ['SS.attributes'],
  writes: [],
  flags: 'unaffected',
  faults: [privileged('INVLPG')],
  intrinsics: { invlpg: { operands: [{ in: 'address' }] } },
  /** Global translations go too. An address that is not canonical is no error and does nothing. */
  effect(cpu, operands) {
    const operand = operandAt(operands, 0);
    const address = operand.uncheckedLinear?.() ?? operand.read();
    cpu.draft.flushTlb({ address, pcid: currentPcid(cpu), globals: true });
  },
});

const smapOnly = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.cpl`,
  fields: ['SS.attributes'],
  when: (cpu) => cpu.CPL > 0,
  raise: UD,
  explain: `${mnemonic} is not recognised with a CPL above 0.`,
});

/** RFLAGS.AC lets supervisor software reach user pages in spite of CR4.SMAP. */
export const ALIGNMENT_CHECK_FLAG = (
  [
    ['STAC', 'STAC—Set AC Flag in EFLAGS Register', true],
    ['CLAC', 'CLAC—Clear AC Flag in EFLAGS Register', false],
  ] as const
).map(([mnemonic, title, value]) =>
  defineInstruction({
    mnemonic,
    manual: sdm(title),
    reads: ['SS.attributes'],
    writes: ['RFLAGS.AC'],
    flags: 'AC is written, the others are unaffected',
    faults: [smapOnly(mnemonic)],
    effect(cpu) {
      cpu.RFLAGS.AC = value;
    },
  }),
);
