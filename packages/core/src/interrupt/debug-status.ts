// SDM, "Debug Registers": breakpoints in DR0 to DR3 under DR7, and what DR6 says when #DB is delivered.
import { slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';

const DR0 = slotOf('DR0');
const DR6 = slotOf('DR6');
const DR7 = slotOf('DR7');

/** Bits of DR6 that software cannot tell from DR6's name. */
export const DEBUG_STATUS = { breakpoints: 0xf, BD: 0x2000, BS: 0x4000, BT: 0x8000 } as const;
const BREAKPOINTS = 0xfn;
const GENERAL_DETECT = 0x2000n;
/** IA32_DEBUGCTL.BTF. */
const BRANCH_SINGLE_STEP = 2n;

/** What a breakpoint waits for: bits R/Wn of DR7. */
const CONDITIONS = ['execute', 'write', 'port', 'read or write'] as const;
type Condition = (typeof CONDITIONS)[number];
/** Bits LENn of DR7. */
const LENGTHS = [1, 2, 8, 4] as const;

interface Breakpoint {
  /** Its bit in DR6. */
  readonly bit: number;
  readonly condition: Condition;
  readonly address: bigint;
  readonly length: number;
}

function* enabledBreakpoints(cpu: Cpu): IterableIterator<Breakpoint> {
  const control = cpu.words[DR7 * 2] ?? 0;
  for (let index = 0; index < 4; index++) {
    if (((control >> (index * 2)) & 3) === 0) continue;
    yield {
      bit: 1 << index,
      condition: CONDITIONS[(control >>> (16 + index * 4)) & 3] ?? 'execute',
      address: cpu.readSlot(DR0 + index),
      length: LENGTHS[(control >>> (18 + index * 4)) & 3] ?? 1,
    };
  }
}

/** Whether a breakpoint for one of some conditions is enabled. */
export function waitsFor(cpu: Cpu, ...conditions: readonly Condition[]): boolean {
  if (((cpu.words[DR7 * 2] ?? 0) & 0xff) === 0) return false;
  return [...enabledBreakpoints(cpu)].some(({ condition }) => conditions.includes(condition));
}

/** Bits of DR6 for an access: the breakpoints whose aligned range meets it. */
function met(cpu: Cpu, address: bigint, bytes: number, conditions: readonly Condition[]): number {
  let bits = 0;
  for (const { bit, condition, address: at, length } of enabledBreakpoints(cpu)) {
    const start = at & ~BigInt(length - 1);
    if (conditions.includes(condition) && address < start + BigInt(length) && start < address + BigInt(bytes))
      bits |= bit;
  }
  return bits;
}

/** Breakpoints on the instruction at a linear address. */
export const breakpointsOnFetch = (cpu: Cpu, address: bigint): number => met(cpu, address, 1, ['execute']);
/** Breakpoints on a data access. */
export const breakpointsOnData = (cpu: Cpu, address: bigint, bytes: number, write: boolean): number =>
  met(cpu, address, bytes, write ? ['write', 'read or write'] : ['read or write']);
/** Breakpoints on I/O, which exist while CR4.DE is 1. */
export const breakpointsOnPort = (cpu: Cpu, port: number, bytes: number): number =>
  cpu.CR4.DE ? met(cpu, BigInt(port), bytes, ['port']) : 0;

/** Whether TF traps branches only. */
export const stepsOnBranches = (cpu: Cpu): boolean => (cpu.read('IA32_DEBUGCTL') & BRANCH_SINGLE_STEP) !== 0n;

/**
 * #DB is delivered: its bits join DR6, those of breakpoints replace the ones before; DR7.GD and IA32_DEBUGCTL.BTF are
 * cleared.
 */
export function enterDebugHandler(cpu: Cpu, status: number): void {
  cpu.writeSlot(DR6, (cpu.readSlot(DR6) & ~BREAKPOINTS) | BigInt(status));
  cpu.writeSlot(DR7, cpu.readSlot(DR7) & ~GENERAL_DETECT);
  if (stepsOnBranches(cpu)) cpu.set('IA32_DEBUGCTL', cpu.read('IA32_DEBUGCTL') & ~BRANCH_SINGLE_STEP);
}
