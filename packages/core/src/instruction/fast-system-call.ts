// SDM, "SYSCALL—Fast System Call", "SYSRET—Return From Fast System Call"; what AMD processors have outside 64-bit mode is
// from the APM's pages of the same names.
import { GP, UD } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { holdsCanonicalAddress } from '../memory/canonical.js';
import { CODE_32, CODE_64, DATA, loadFlatSegments, USER } from '../memory/flat-segment.js';
import { slotOf } from '../register/register-file.js';
import { RFLAGS } from '../register/rflags.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction, type FaultRow } from './define.js';
import { privileged } from './privilege.js';

const { RF, IF, VM } = RFLAGS.bits;
/** What SYSCALL clears outside long mode, where nothing keeps the flags. */
const LEGACY_CLEARED = (1 << RF) | (1 << IF) | (1 << VM);
/** What SYSRET takes from R11: everything but RF and VM. */
const RETURNED_FLAGS = 0x3c_7fd7;
const SS_AFTER_CS = 8;
const USER_64_AFTER_32 = 16;
const USER_RPL = 3;
const [RCX, R11, RIP] = [slotOf('RCX'), slotOf('R11'), slotOf('RIP')];
const FLAGS_UPPER_HALF = slotOf('RFLAGS') * 2 + 1;
const STAR = slotOf('IA32_STAR') * 2;
const FMASK = slotOf('IA32_FMASK') * 2;
const [LSTAR, CSTAR] = [slotOf('IA32_LSTAR'), slotOf('IA32_CSTAR')];

/** RIP takes another register as a whole, or in 32-bit code its low half. */
function goTo(cpu: Cpu, from: number, long: boolean): void {
  cpu.writeWords(RIP, cpu.words[from * 2] as number, long ? (cpu.words[from * 2 + 1] as number) : 0);
}

const enabled = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.sce`,
  fields: ['IA32_EFER.SCE'],
  when: (cpu) => !cpu.EFER.SCE,
  raise: UD,
  explain: `${mnemonic} needs IA32_EFER.SCE.`,
});

const in64BitMode = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.mode`,
  fields: ['CS.attributes', 'IA32_EFER.LMA'],
  when: (cpu) => cpu.mode !== '64-bit' && cpu.profile.vendor === 'Intel',
  raise: UD,
  explain: `${mnemonic} is recognised in 64-bit mode only by an Intel processor.`,
});

const protectedMode = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.real-mode`,
  fields: ['CR0.PE'],
  when: (cpu) => !cpu.CR0.PE,
  raise: GP(0),
  explain: `${mnemonic} needs protected mode: set CR0.PE.`,
});

const READS = ['IA32_STAR', 'IA32_EFER.SCE', 'CS.attributes', 'IA32_EFER.LMA'];
const SEGMENTS = [
  'CS.selector',
  'CS.base',
  'CS.limit',
  'CS.attributes',
  'SS.selector',
  'SS.base',
  'SS.limit',
  'SS.attributes',
];

export const SYSCALL = defineInstruction({
  mnemonic: 'SYSCALL',
  manual: sdm('SYSCALL—Fast System Call'),
  reads: [...READS, 'IA32_LSTAR', 'IA32_CSTAR', 'IA32_FMASK', 'RFLAGS'],
  writes: ['RCX', 'R11', 'RIP', 'RFLAGS', ...SEGMENTS],
  flags: 'those in IA32_FMASK are cleared; outside long mode IF, RF and VM',
  faults: [in64BitMode('SYSCALL'), enabled('SYSCALL')],
  effect(cpu) {
    cpu.draft.runner.singleStepping.trapFlag = 'after'; // IA32_FMASK decides whether the first step of the kernel traps
    const { words } = cpu;
    const long = cpu.EFER.LMA;
    const selector = (words[STAR + 1] as number) & 0xfffc;
    const flags = cpu.EFLAGS;
    cpu.writeWords(RCX, words[RIP * 2] as number, words[RIP * 2 + 1] as number); // of the next instruction
    if (long) {
      cpu.writeWords(R11, flags, words[FLAGS_UPPER_HALF] as number);
      goTo(cpu, cpu.mode === '64-bit' ? LSTAR : CSTAR, true);
      cpu.EFLAGS = flags & ~(words[FMASK] as number) & ~(1 << RF);
    } else {
      goTo(cpu, STAR / 2, false);
      cpu.EFLAGS = flags & ~LEGACY_CLEARED;
    }
    loadFlatSegments(cpu, selector, long ? CODE_64 : CODE_32, selector + SS_AFTER_CS, DATA);
  },
});

function sysret(mnemonic: 'SYSRET' | 'SYSRETQ', long: boolean) {
  const canonical: FaultRow = {
    id: `core.${mnemonic.toLowerCase()}.canonical`,
    fields: ['RCX'],
    when: (cpu) => long && !holdsCanonicalAddress(cpu, RCX),
    raise: GP(0),
    explain: 'RCX is where SYSRET returns to: it must be canonical.',
    note: 'An AMD processor raises the exception after the return, with CPL 3; here both vendors raise it before.',
  };
  return defineInstruction({
    mnemonic,
    manual: sdm('SYSRET—Return From Fast System Call'),
    reads: [...READS, 'RCX', 'R11', 'SS.attributes'],
    writes: ['RIP', 'RFLAGS', ...SEGMENTS],
    flags: 'taken from R11, but for RF and VM',
    faults: [in64BitMode(mnemonic), enabled(mnemonic), protectedMode(mnemonic), privileged(mnemonic), canonical],
    effect: (cpu) => returnToUser(cpu, long),
  });
}

function returnToUser(cpu: Cpu, long: boolean): void {
  const { words } = cpu;
  const base = (words[STAR + 1] as number) >>> 16;
  const is64Bit = cpu.mode === '64-bit';
  cpu.draft.runner.singleStepping.trapFlag = 'after'; // as if SYSCALL had just been completed
  goTo(cpu, RCX, long);
  cpu.EFLAGS = is64Bit ? (words[R11 * 2] as number) & RETURNED_FLAGS : cpu.EFLAGS | (1 << IF); // R11 is out of reach
  const code = (long ? base + USER_64_AFTER_32 : base) | USER_RPL;
  const stack = (base + SS_AFTER_CS) | USER_RPL;
  loadFlatSegments(cpu, code, (long ? CODE_64 : CODE_32) | USER, stack, DATA | USER);
}

export const SYSRET = sysret('SYSRET', false);
export const SYSRETQ = sysret('SYSRETQ', true);
