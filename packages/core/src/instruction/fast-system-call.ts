// SDM, "SYSCALL—Fast System Call", "SYSRET—Return From Fast System Call"; what AMD processors have outside 64-bit mode is
// from the APM's pages of the same names.
import { GP, UD } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { holdsCanonicalAddress } from '../memory/canonical.js';
import { EFER as FEATURES } from '../register/control-registers.js';
import { slotOf } from '../register/register-file.js';
import { RFLAGS } from '../register/rflags.js';
import { defineInstruction, type FaultRow } from './define.js';
import { type FastTransfer, makeTransfer, type TransferGuard } from './fast-transfer.js';
import { privileged } from './privilege.js';

const { RF, IF, VM } = RFLAGS.bits;
/** What SYSCALL clears outside long mode, where nothing keeps the flags. */
const LEGACY_CLEARED = (1 << RF) | (1 << IF) | (1 << VM);
/** What SYSRET takes from R11: everything but RF and VM. */
const RETURNED_FLAGS = 0x3c_7fd7;
const SS_AFTER_CS = 8;
const USER_64_AFTER_32 = 16;
const [RCX, R11] = [slotOf('RCX'), slotOf('R11')];
const [STAR, FMASK] = [slotOf('IA32_STAR'), slotOf('IA32_FMASK')];
const [LSTAR, CSTAR] = [slotOf('IA32_LSTAR'), slotOf('IA32_CSTAR')];
/** IA32_STAR[47:32] names the segments of the kernel, IA32_STAR[63:48] those of its users. */
const KERNEL = { slot: STAR, bit: 32, code: 0, stack: SS_AFTER_CS } as const;
const USERS = { slot: STAR, bit: 48, stack: SS_AFTER_CS } as const;
const ENABLED: TransferGuard = { slot: slotOf('IA32_EFER'), bits: 1 << FEATURES.bits.SCE, are: 'one' };
const SUPERVISOR: TransferGuard = { slot: slotOf('SS.attributes'), bits: 0x60, are: 'zero' };

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

const callOfLongMode = (pointer: number): FastTransfer => ({
  selectors: KERNEL,
  level: 0,
  long: true,
  pointer,
  savedPointer: RCX,
  savedFlags: R11,
  flags: { cleared: 1 << RF, clearedBy: FMASK, set: 0 },
});
const [CALL, COMPATIBILITY_CALL] = [callOfLongMode(LSTAR), callOfLongMode(CSTAR)];
/** Nothing keeps the flags. */
const LEGACY_CALL: FastTransfer = {
  selectors: KERNEL,
  level: 0,
  long: false,
  pointer: STAR,
  savedPointer: RCX,
  flags: { cleared: LEGACY_CLEARED, set: 0 },
};

export const SYSCALL = defineInstruction({
  mnemonic: 'SYSCALL',
  manual: sdm('SYSCALL—Fast System Call'),
  reads: [...READS, 'IA32_LSTAR', 'IA32_CSTAR', 'IA32_FMASK', 'RFLAGS'],
  writes: ['RCX', 'R11', 'RIP', 'RFLAGS', ...SEGMENTS],
  flags: 'those in IA32_FMASK are cleared; outside long mode IF, RF and VM',
  faults: [in64BitMode('SYSCALL'), enabled('SYSCALL')],
  effect(cpu) {
    cpu.draft.runner.singleStepping.trapFlag = 'after'; // IA32_FMASK decides whether the first step of the kernel traps
    makeTransfer(cpu, !cpu.EFER.LMA ? LEGACY_CALL : cpu.mode === '64-bit' ? CALL : COMPATIBILITY_CALL);
  },
  transfer: (mode64) => (mode64 ? { transfer: CALL, guards: [ENABLED], canonical: [] } : undefined),
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
  const selectors = { ...USERS, code: long ? USER_64_AFTER_32 : 0 };
  const flags = { from: { slot: R11, mask: RETURNED_FLAGS }, cleared: 0, set: 0 };
  const transfer: FastTransfer = { selectors, level: 3, long, pointer: RCX, flags };
  const legacy = { ...transfer, flags: { cleared: 0, set: 1 << IF } }; // R11 is out of reach
  return defineInstruction({
    mnemonic,
    manual: sdm('SYSRET—Return From Fast System Call'),
    reads: [...READS, 'RCX', 'R11', 'SS.attributes'],
    writes: ['RIP', 'RFLAGS', ...SEGMENTS],
    flags: 'taken from R11, but for RF and VM',
    faults: [in64BitMode(mnemonic), enabled(mnemonic), protectedMode(mnemonic), privileged(mnemonic), canonical],
    effect(cpu) {
      cpu.draft.runner.singleStepping.trapFlag = 'after'; // as if SYSCALL had just been completed
      makeTransfer(cpu, cpu.mode === '64-bit' ? transfer : legacy);
    },
    /** From 64-bit code to 32-bit code more changes than generated code knows. */
    transfer: (mode64) => (mode64 && long ? { transfer, guards: [ENABLED, SUPERVISOR], canonical: [RCX] } : undefined),
  });
}

export const SYSRET = sysret('SYSRET', false);
export const SYSRETQ = sysret('SYSRETQ', true);
