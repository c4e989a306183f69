// SDM, "MONITOR—Set Up Monitor Address", "MWAIT—Monitor Wait". MWAIT is a hint that the manual lets a processor end at any
// time: here it completes at once, so that the loop around it looks at the monitored word again, after the other processors had their turns. Left out: the monitored
// address range itself, which nothing can tell.
import { GP, UD } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { loadLinear } from '../memory/system-access.js';
import { cpuidOf } from '../register/cpuid.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction, type FaultRow } from './define.js';
import { operandAt } from './privilege.js';

const LOW_HALF = 0xffff_ffffn;
const MONITOR_LEAF = 5;
const MONITOR_FEATURE = 1 << 3;
/** ECX[0] of MWAIT: interrupts end the wait even while they are masked. CPUID 05H ECX[1] reports it. */
const INTERRUPT_BREAK = 1n;
const INTERRUPT_BREAK_REPORTED = 1 << 1;

const privilegeZero = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.cpl`,
  fields: ['SS.attributes'],
  when: (cpu) => cpu.CPL > 0 && !isAllowedToUsers(cpu),
  raise: UD,
  explain: `${mnemonic} is not recognised with a CPL above 0.`,
  note: 'HWCR.MonMwaitUserEn of an AMD processor lifts the condition.',
});

const MON_MWAIT_USER_EN = 1n << 10n;
const isAllowedToUsers = (cpu: Cpu): boolean =>
  cpu.profile.vendor === 'AMD' && (cpu.read('HWCR') & MON_MWAIT_USER_EN) !== 0n;

/** IA32_MISC_ENABLE[18] and HWCR.MonMwaitDis take both instructions away, with their CPUID bit. */
const switchedOn = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic.toLowerCase()}.cpuid`,
  when: (cpu) => (cpuidOf(cpu, 1, 0).ecx & MONITOR_FEATURE) === 0,
  raise: UD,
  explain: `${mnemonic} needs CPUID.01H:ECX.MONITOR, which IA32_MISC_ENABLE[18] or HWCR.MonMwaitDis may have cleared.`,
});

export const MONITOR = defineInstruction({
  mnemonic: 'MONITOR',
  manual: sdm('MONITOR—Set Up Monitor Address'),
  reads: ['RAX', 'RCX', 'RDX', 'SS.attributes'],
  writes: [],
  flags: 'unaffected',
  faults: [
    switchedOn('MONITOR'),
    privilegeZero('MONITOR'),
    {
      id: 'core.monitor.extensions',
      fields: ['RCX'],
      when: (cpu) => (cpu.RCX & LOW_HALF) !== 0n,
      raise: GP(0),
      explain: 'MONITOR has no extensions: ECX must be 0.',
    },
  ],
  /** The address is used like that of a byte that is read. */
  effect(cpu, operands) {
    const address = operandAt(operands, 0).linear('read');
    if (address !== undefined) loadLinear(cpu, address, 1);
  },
});

export const MWAIT = defineInstruction({
  mnemonic: 'MWAIT',
  manual: sdm('MWAIT—Monitor Wait'),
  reads: ['RAX', 'RCX', 'SS.attributes'],
  writes: [],
  flags: 'unaffected',
  faults: [
    switchedOn('MWAIT'),
    privilegeZero('MWAIT'),
    {
      id: 'core.mwait.extensions',
      fields: ['RCX'],
      when: (cpu) => (cpu.RCX & LOW_HALF & ~extensions(cpu)) !== 0n,
      raise: GP(0),
      explain: 'ECX asks for an extension that CPUID leaf 05H does not report.',
    },
  ],
  effect(cpu) {
    cpu.draft.runner.yield();
  },
});

const extensions = (cpu: Cpu): bigint =>
  (cpuidOf(cpu, MONITOR_LEAF, 0).ecx & INTERRUPT_BREAK_REPORTED) === 0 ? 0n : INTERRUPT_BREAK;
