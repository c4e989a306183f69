// Which instructions of a guest cause VM exits, one row an instruction (SDM, "Instructions That Cause VM Exits"). Checks for #UD and
// of privilege come first where the manual says so: a row marked `first` comes before every check.
import {
  type Cpu,
  type FaultExplanation,
  type InterceptedInstruction,
  isInGuestMode,
  type Outcome,
  raise,
  sdm,
  takeOver,
  UD,
} from '@retrovisor/core';
import { type Control, Primary, Secondary } from '../controls.js';
import { guestValue, isOn } from '../non-root/controls-in-use.js';
import { cltsExit, controlRegisterExit, debugRegisterExit, lmswExit } from './control-register-exits.js';
import type { VmExit } from './exit.js';
import type { ExitReason } from './exit-reasons.js';
import { memoryOperand, randomDestination, tableAccess, typeAndDescriptor } from './instruction-information.js';
import { vmExit } from './leave-guest.js';
import { rdmsrExit, wrmsrExit } from './msr-exits.js';
import { pauseExit } from './pause-exits.js';
import { portExit } from './port-exits.js';
import { fieldAccessExit } from './shadowed-fields.js';

type ExitOf = (cpu: Cpu, instruction: InterceptedInstruction) => VmExit | undefined;
type Details = (instruction: InterceptedInstruction) => Omit<VmExit, 'reason'>;

const none: Details = () => ({});
const noExit: ExitOf = () => undefined;

const always =
  (reason: ExitReason, details: Details = none): ExitOf =>
  (_cpu, instruction) => ({ reason, ...details(instruction) });

const when =
  (control: Control, reason: ExitReason, details: Details = none): ExitOf =>
  (cpu, instruction) =>
    isOn(cpu, control) ? { reason, ...details(instruction) } : undefined;

const NOT_ENABLED = 'vmx.guest.not-enabled';

/** What `why` says of it. */
export const NOT_ENABLED_RULES: Readonly<Record<string, FaultExplanation>> = {
  [NOT_ENABLED]: {
    manual: sdm('VMX Non-Root Operation'),
    explain: 'The instruction does not exist for a guest whose VMM leaves its control at 0.',
  },
};

/** Without the control the instruction does not exist for a guest. */
const enabledBy =
  (control: Control, exit: ExitOf): ExitOf =>
  (cpu, instruction) =>
    isOn(cpu, control) ? exit(cpu, instruction) : raise(UD, NOT_ENABLED);

const ifBoth =
  (one: Control, other: Control, reason: ExitReason, details: Details = none): ExitOf =>
  (cpu, instruction) =>
    isOn(cpu, one) && isOn(cpu, other) ? { reason, ...details(instruction) } : undefined;

const linearAddress: Details = ({ operands }) => ({ qualification: operands?.[0]?.uncheckedLinear?.() ?? 0n });

/** XSAVES and XRSTORS exit if a state component that they were asked for is in XSS and in the bitmap. */
const supervisorState =
  (reason: 63 | 64): ExitOf =>
  (cpu, instruction) => {
    const asked = ((cpu.RDX & 0xffff_ffffn) << 32n) | (cpu.RAX & 0xffff_ffffn);
    const isExit = (asked & cpu.read('IA32_XSS') & guestValue(cpu, 'xssBitmap')) !== 0n;
    return isExit ? { reason, ...memoryOperand(instruction) } : undefined;
  };

const DESCRIPTOR_TABLES = Secondary['descriptor-table exiting'];
const IN_OUT = ['IN', 'OUT', 'INSB', 'INSW', 'INSD', 'OUTSB', 'OUTSW', 'OUTSD'] as const;

/** By mnemonic. */
const EXITS: Readonly<Record<string, ExitOf>> = {
  CPUID: always(10),
  GETSEC: always(11),
  HLT: when(Primary['HLT exiting'], 12),
  INVD: always(13),
  INVLPG: when(Primary['INVLPG exiting'], 14, linearAddress),
  RDPMC: when(Primary['RDPMC exiting'], 15),
  RDTSC: when(Primary['RDTSC exiting'], 16),
  VMCLEAR: always(19, memoryOperand),
  VMLAUNCH: always(20),
  VMPTRLD: always(21, memoryOperand),
  VMPTRST: always(22, memoryOperand),
  VMREAD: fieldAccessExit,
  VMRESUME: always(24),
  VMWRITE: fieldAccessExit,
  VMXOFF: always(26),
  VMXON: always(27, memoryOperand),
  'MOV CR': controlRegisterExit,
  CLTS: cltsExit,
  LMSW: lmswExit,
  ...Object.fromEntries(IN_OUT.map((mnemonic) => [mnemonic, portExit])),
  RDMSR: rdmsrExit,
  WRMSR: wrmsrExit,
  MWAIT: when(Primary['MWAIT exiting'], 36),
  MONITOR: when(Primary['MONITOR exiting'], 39),
  PAUSE: pauseExit,
  ...Object.fromEntries(
    ['LGDT', 'LIDT', 'SGDT', 'SIDT'].map((mnemonic) => [mnemonic, when(DESCRIPTOR_TABLES, 46, tableAccess)]),
  ),
  ...Object.fromEntries(
    ['LLDT', 'LTR', 'SLDT', 'STR'].map((mnemonic) => [mnemonic, when(DESCRIPTOR_TABLES, 47, tableAccess)]),
  ),
  INVEPT: always(50, typeAndDescriptor),
  RDTSCP: enabledBy(Secondary['enable RDTSCP'], when(Primary['RDTSC exiting'], 51)),
  RDPID: enabledBy(Secondary['enable RDTSCP'], noExit),
  INVVPID: always(53, typeAndDescriptor),
  WBINVD: when(Secondary['WBINVD exiting'], 54),
  WBNOINVD: when(Secondary['WBINVD exiting'], 54),
  XSETBV: always(55),
  RDRAND: when(Secondary['RDRAND exiting'], 57, randomDestination),
  INVPCID: enabledBy(
    Secondary['enable INVPCID'],
    ifBoth(Secondary['enable INVPCID'], Primary['INVLPG exiting'], 58, typeAndDescriptor),
  ),
  RDSEED: when(Secondary['RDSEED exiting'], 61, randomDestination),
  XSAVES: enabledBy(Secondary['enable XSAVES/XRSTORS'], supervisorState(63)),
  XRSTORS: enabledBy(Secondary['enable XSAVES/XRSTORS'], supervisorState(64)),
};

/** What comes before every check of the instruction: an instruction that does not exist is #UD at each privilege level. */
const FIRST: Readonly<Record<string, ExitOf>> = {
  VMCALL: always(18),
  'MOV DR': debugRegisterExit,
  RDTSCP: enabledBy(Secondary['enable RDTSCP'], noExit),
  RDPID: enabledBy(Secondary['enable RDTSCP'], noExit),
  INVPCID: enabledBy(Secondary['enable INVPCID'], noExit),
  XSAVES: enabledBy(Secondary['enable XSAVES/XRSTORS'], noExit),
  XRSTORS: enabledBy(Secondary['enable XSAVES/XRSTORS'], noExit),
};

/** What core shows to the intercepts. */
export const INTERCEPTED_INSTRUCTIONS: readonly string[] = [
  ...Object.keys(EXITS),
  ...Object.keys(EXITS)
    .filter((mnemonic) => mnemonic.startsWith('X'))
    .map((mnemonic) => `${mnemonic}64`),
  ...Object.keys(FIRST),
];

const asker =
  (rows: Readonly<Record<string, ExitOf>>) =>
  (cpu: Cpu, instruction: InterceptedInstruction): Outcome | undefined => {
    if (!isInGuestMode(cpu)) return undefined;
    const exit = rows[instruction.mnemonic.replace(/64$/, '')]?.(cpu, instruction);
    if (exit === undefined) return undefined;
    return takeOver((boundary) => vmExit(boundary, { instructionLength: instruction.length, ...exit }));
  };

/** Intercept: after the checks that have priority over exits. */
export const interceptInstruction = asker(EXITS);

/** Intercept: before every check. */
export const interceptFirst = asker(FIRST);
