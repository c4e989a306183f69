// SDM, "Flag Control (EFLAG) Instructions": CLI and STI. Left out: virtual interrupts (CR4.VME and CR4.PVI), which no
// machine reports.
import { GP } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction, type FaultRow } from './define.js';

const IOPL_SHIFT = 12n;

/** CPL is 0 in real-address mode and 3 in virtual-8086 mode, so that one comparison serves all modes. */
const mayChangeInterruptFlag = (cpu: Cpu): boolean => BigInt(cpu.CPL) <= ((cpu.RFLAGS.value >> IOPL_SHIFT) & 3n);

const needsIopl = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.iopl`,
  fields: ['RFLAGS', 'SS.attributes'],
  when: (cpu) => !mayChangeInterruptFlag(cpu),
  raise: GP(0),
  explain: `${mnemonic} needs a CPL at or below RFLAGS.IOPL.`,
});

export const CLI = defineInstruction({
  mnemonic: 'CLI',
  manual: sdm('CLI—Clear Interrupt Flag'),
  reads: ['RFLAGS', 'SS.attributes'],
  writes: ['RFLAGS.IF'],
  flags: 'IF is cleared, the others are unaffected',
  faults: [needsIopl('CLI')],
  intrinsics: { cli: { operands: [] } },
  effect(cpu) {
    cpu.RFLAGS.IF = false;
  },
});

export const STI = defineInstruction({
  mnemonic: 'STI',
  manual: sdm('STI—Set Interrupt Flag'),
  reads: ['RFLAGS', 'SS.attributes'],
  writes: ['RFLAGS.IF', 'interruptShadow'],
  flags: 'IF is set, the others are unaffected',
  faults: [needsIopl('STI')],
  intrinsics: { sti: { operands: [] } },
  effect(cpu) {
    // Interrupts that were off stay held back for one more instruction, so that STI; HLT and STI; RET are safe.
    if (!cpu.RFLAGS.IF) cpu.interruptShadow = 'sti';
    cpu.RFLAGS.IF = true;
  },
});
