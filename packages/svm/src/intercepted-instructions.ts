// One flat table: the instructions that a guest may not execute by itself, each with the exit that its VMCB may ask for (APM,
// "Instruction Intercepts"). `before`: the intercept has priority over every exception of the instruction; the others are asked
// after the checks for #UD, privilege and permission.
import { type Cpu, CR0, type InterceptedInstruction, isInGuestMode, type Outcome, takeOver } from '@retrovisor/core';
import { exitCode, isIntercepted } from './exit-codes.js';
import {
  addressInfo,
  controlRegisterInfo,
  debugRegisterInfo,
  nextRipOf,
  portInstructionOf,
  savedNextRip,
  vectorInfo,
} from './exit-information.js';
import { isPauseFiltered } from './pause-filter.js';
import { isMsrIntercepted, isPortIntercepted } from './permission-maps.js';
import { exitGuest } from './world-switch.js';

type Seen = InterceptedInstruction;

/** What an instruction exits with; undefined: the guest goes on. */
interface Exit {
  readonly code: number;
  readonly info1?: bigint;
  /** EXITINFO2 is the RIP of the next instruction. */
  readonly tellsNextRip?: true;
}

interface Row {
  readonly mnemonics: readonly string[];
  readonly before?: true;
  readonly exit: (cpu: Cpu, seen: Seen) => Exit | undefined;
}

/** An exit with a bit of its own and nothing to add. */
function plain(name: string, mnemonics: readonly string[], info1?: (cpu: Cpu, seen: Seen) => bigint): Row {
  const code = exitCode(name);
  return {
    mnemonics,
    exit: (cpu, seen) => {
      if (!isIntercepted(cpu, code)) return undefined;
      return info1 === undefined ? { code } : { code, info1: info1(cpu, seen) };
    },
  };
}

const before = (name: string, mnemonics: readonly string[], info1?: (cpu: Cpu, seen: Seen) => bigint): Row => ({
  ...plain(name, mnemonics, info1),
  before: true,
});

const sizes = (name: string, suffixes: readonly string[]): readonly string[] => suffixes.map((suffix) => name + suffix);
const register = (seen: Seen, index: number): string => seen.operands?.[index]?.register ?? '';

const CR_WRITE = exitCode('CR0_WRITE');
const DR_WRITE = exitCode('DR0_WRITE');
const DR_READ = exitCode('DR0_READ');
const SELECTIVE = exitCode('CR0_SEL_WRITE');
/** TS and MP are not what a selective intercept looks at. */
const NOT_SELECTIVE = (1n << BigInt(CR0.bits.TS)) | (1n << BigInt(CR0.bits.MP));

const isControl = (name: string): boolean => /^CR\d+$/.test(name);

/** A write of CR0 is intercepted by itself, or if it changes more than TS and MP. */
function writeOfCr0(cpu: Cpu, seen: Seen, value: bigint): Exit | undefined {
  const info1 = controlRegisterInfo(cpu, seen);
  if (isIntercepted(cpu, CR_WRITE)) return { code: CR_WRITE, info1 };
  const changed = (value ^ cpu.CR0.value) & ~NOT_SELECTIVE;
  return changed !== 0n && isIntercepted(cpu, SELECTIVE) ? { code: SELECTIVE, info1 } : undefined;
}

function moveControlRegister(cpu: Cpu, seen: Seen): Exit | undefined {
  const to = register(seen, 0);
  if (to === 'CR0') return writeOfCr0(cpu, seen, seen.operands?.[1]?.read() ?? 0n);
  const code = isControl(to) ? CR_WRITE + Number(to.slice(2)) : Number(register(seen, 1).slice(2));
  return isIntercepted(cpu, code) ? { code, info1: controlRegisterInfo(cpu, seen) } : undefined;
}

function moveDebugRegister(cpu: Cpu, seen: Seen): Exit | undefined {
  const to = register(seen, 0);
  const code = to.startsWith('DR') ? DR_WRITE + Number(to.slice(2)) : DR_READ + Number(register(seen, 1).slice(2));
  return isIntercepted(cpu, code) ? { code, info1: debugRegisterInfo(cpu, seen) } : undefined;
}

/** LMSW is selective whatever it writes. */
function loadMachineStatus(cpu: Cpu): Exit | undefined {
  if (isIntercepted(cpu, CR_WRITE)) return { code: CR_WRITE };
  return isIntercepted(cpu, SELECTIVE) ? { code: SELECTIVE } : undefined;
}

const IOIO = exitCode('IOIO');
function accessPort(cpu: Cpu, seen: Seen): Exit | undefined {
  if (!isIntercepted(cpu, IOIO)) return undefined;
  const { port, bytes, info } = portInstructionOf(cpu, seen);
  return isPortIntercepted(cpu, port, bytes) ? { code: IOIO, info1: info, tellsNextRip: true } : undefined;
}

const MSR = exitCode('MSR');
function accessMsr(cpu: Cpu, { mnemonic }: Seen): Exit | undefined {
  const write = mnemonic === 'WRMSR';
  if (!isIntercepted(cpu, MSR) || !isMsrIntercepted(cpu, Number(cpu.RCX & 0xffff_ffffn), write)) return undefined;
  return { code: MSR, info1: write ? 1n : 0n };
}

const PAUSE = exitCode('PAUSE');

const INTERCEPTED_INSTRUCTIONS: readonly Row[] = [
  before('CPUID', ['CPUID']),
  before('RSM', ['RSM']),
  before('PUSHF', sizes('PUSHF', ['', 'D', 'Q', 'W'])),
  before('POPF', sizes('POPF', ['', 'D', 'Q', 'W'])),
  before('IRET', sizes('IRET', ['', 'D', 'Q'])),
  before('SWINT', ['INT'], vectorInfo),
  before('ICEBP', ['INT1']),
  before('XSETBV', ['XSETBV']),
  {
    mnemonics: ['PAUSE'],
    before: true,
    exit: (cpu) => (isIntercepted(cpu, PAUSE) && !isPauseFiltered(cpu) ? { code: PAUSE } : undefined),
  },
  plain('INVD', ['INVD']),
  plain('HLT', ['HLT']),
  plain('INVLPG', ['INVLPG'], addressInfo),
  plain('INVLPGA', ['INVLPGA']),
  plain('RDTSC', ['RDTSC']),
  plain('RDTSCP', ['RDTSCP']),
  plain('RDPMC', ['RDPMC']),
  plain('WBINVD', ['WBINVD', 'WBNOINVD']),
  plain('MONITOR', ['MONITOR', 'MONITORX']),
  plain('MWAIT', ['MWAIT', 'MWAITX']),
  plain('INVPCID', ['INVPCID']),
  plain('IDTR_READ', ['SIDT']),
  plain('GDTR_READ', ['SGDT']),
  plain('LDTR_READ', ['SLDT']),
  plain('TR_READ', ['STR']),
  plain('IDTR_WRITE', ['LIDT']),
  plain('GDTR_WRITE', ['LGDT']),
  plain('LDTR_WRITE', ['LLDT']),
  plain('TR_WRITE', ['LTR']),
  plain('VMRUN', ['VMRUN']),
  plain('VMMCALL', ['VMMCALL']),
  plain('VMLOAD', ['VMLOAD']),
  plain('VMSAVE', ['VMSAVE']),
  plain('STGI', ['STGI']),
  plain('CLGI', ['CLGI']),
  plain('SKINIT', ['SKINIT']),
  plain('CR0_WRITE', ['CLTS']),
  plain('CR0_READ', ['SMSW']),
  { mnemonics: ['MOV CR'], exit: moveControlRegister },
  { mnemonics: ['MOV DR'], exit: moveDebugRegister },
  { mnemonics: ['LMSW'], exit: loadMachineStatus },
  { mnemonics: ['IN', 'OUT', ...sizes('INS', ['B', 'W', 'D']), ...sizes('OUTS', ['B', 'W', 'D'])], exit: accessPort },
  { mnemonics: ['RDMSR', 'WRMSR'], exit: accessMsr },
];

const rowsOf = (isBefore: boolean): ReadonlyMap<string, Row['exit']> =>
  new Map(
    INTERCEPTED_INSTRUCTIONS.filter((row) => (row.before === true) === isBefore).flatMap(({ mnemonics, exit }) =>
      mnemonics.map((mnemonic) => [mnemonic, exit] as const),
    ),
  );
const BEFORE = rowsOf(true);
const AFTER_CHECKS = rowsOf(false);

/** The mnemonics of the table. */
export const INTERCEPTED_MNEMONICS: readonly string[] = [...BEFORE.keys(), ...AFTER_CHECKS.keys()];

function intercept(rows: typeof BEFORE, cpu: Cpu, seen: Seen): Outcome | undefined {
  if (!isInGuestMode(cpu)) return undefined;
  const exit = rows.get(seen.mnemonic)?.(cpu, seen);
  if (exit === undefined) return undefined;
  const { code, info1 = 0n, tellsNextRip } = exit;
  return takeOver((boundary) => {
    const info2 = tellsNextRip ? nextRipOf(boundary, seen) : 0n; // RIP is that of the instruction again
    return exitGuest(boundary, { code, info1, info2, nextRip: savedNextRip(boundary, seen) });
  });
}

/** The intercept point before any check of an instruction. */
export const beforeInstruction = (cpu: Cpu, seen: Seen): Outcome | undefined => intercept(BEFORE, cpu, seen);

/** The intercept point after the checks that have priority. */
export const checkedInstruction = (cpu: Cpu, seen: Seen): Outcome | undefined => intercept(AFTER_CHECKS, cpu, seen);
