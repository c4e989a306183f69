// SDM, "Debug Exceptions": while RFLAGS.TF, RFLAGS.RF or a breakpoint is set, instructions run one at a time. Breakpoints on
// the instruction are faults before it; single-step traps and breakpoints on data and I/O wait until it has completed. With
// IA32_DEBUGCTL.BTF only branches are traps ("Single-Stepping on Branches").
import { fault } from '../event/outcome.js';
import type { Decoded } from '../execute/decode.js';
import { slotOf } from '../register/register-file.js';
import { RFLAGS } from '../register/rflags.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';
import { breakpointsOnFetch, DEBUG_STATUS, stepsOnBranches } from './debug-status.js';
import { raise } from './exceptions.js';

const FLAGS = slotOf('RFLAGS') * 2;
const DEBUG = slotOf('pendingDebug');
const TF = 1 << RFLAGS.bits.TF;
const RF = 1 << RFLAGS.bits.RF;
/** These are branches also where they lead to the next instruction. */
const ALWAYS_BRANCH: ReadonlySet<string> = new Set(['JMP', 'CALL', 'RET']);

/** When TF decides: as it was before the instruction, or after it (SYSCALL, SYSRET); not at all once it entered a handler. */
export type TrapFlagTime = 'before' | 'after' | 'never';

/** The debug conditions of one draft's current processor. */
export class SingleStepping {
  readonly #draft: MachineDraft;
  isOn = false;
  /** A breakpoint is enabled. */
  breakpoints = false;
  /** Set by the instruction that is executed. */
  trapFlag: TrapFlagTime = 'before';
  /** The instruction loaded RF: it is for the next one. */
  resumeFlagLoaded = false;
  #trapFlagBefore = false;
  #resumeFlagBefore = false;
  /** Breakpoints met by the instruction that is executed. */
  #met = 0;

  constructor(draft: MachineDraft) {
    this.#draft = draft;
  }

  /** RFLAGS was written, `breakpoints` changed, or another processor has its turn. */
  contextChanged(cpu: Cpu): void {
    const { guest } = this.#draft;
    this.isOn = this.breakpoints || guest?.stepwise === true || ((cpu.words[FLAGS] as number) & (TF | RF)) !== 0;
    if (this.isOn) this.#draft.runner?.interrupt(); // not while the runner is being made
  }

  /** A breakpoint on data or I/O was met. */
  meet(bits: number): void {
    this.#met |= bits;
  }

  /** A handler is entered: a single-step trap that a load of SS held back is lost. */
  discard(cpu: Cpu): void {
    this.trapFlag = 'never';
    const waiting = cpu.readSlot(DEBUG);
    if (waiting !== 0n) cpu.writeSlot(DEBUG, waiting & ~BigInt(DEBUG_STATUS.BS));
  }

  /** Before an instruction is fetched. */
  before(cpu: Cpu): void {
    const flags = cpu.words[FLAGS] ?? 0;
    this.trapFlag = 'before';
    this.resumeFlagLoaded = false;
    this.#trapFlagBefore = (flags & TF) !== 0;
    this.#resumeFlagBefore = (flags & RF) !== 0;
    this.#met = 0;
    if (this.#resumeFlagBefore || inhibitsBreakpoints(cpu)) return;
    const bits = breakpointsOnFetch(cpu, linearAddressOfRip(cpu));
    if (bits !== 0) raise(fault('#DB', { debugStatus: bits }), 'core.breakpoint.instruction');
  }

  /** An instruction completed. */
  after(cpu: Cpu, instruction: Decoded | undefined): void {
    const { trapFlag } = this;
    this.trapFlag = 'before';
    if (this.#resumeFlagBefore && !this.resumeFlagLoaded) cpu.RFLAGS.RF = false;
    const stepped = trapFlag === 'after' ? cpu.RFLAGS.TF : trapFlag === 'before' && this.#trapFlagBefore;
    const trapped = stepped && (!stepsOnBranches(cpu) || (instruction !== undefined && branched(cpu, instruction)));
    const status = this.#met | (trapped ? DEBUG_STATUS.BS : 0);
    this.#met = 0;
    if (status === 0) return;
    cpu.writeSlot(DEBUG, cpu.readSlot(DEBUG) | BigInt(status));
    this.#draft.runner.attend();
  }
}

/** SDM, "Masking Exceptions and Interrupts When Switching Stacks": an Intel processor holds back #DB as a whole. */
const inhibitsBreakpoints = (cpu: Cpu): boolean => cpu.interruptShadow === 'movSs' && cpu.profile.vendor === 'Intel';

/** Whether a branch was taken. A conditional one to the next instruction is none: it cannot be told from one that was not. */
function branched(cpu: Cpu, { mnemonic, address, length, repeat }: Decoded): boolean {
  if (ALWAYS_BRANCH.has(mnemonic)) return true;
  const isIteration = repeat !== 'none' && cpu.RIP === address;
  return !isIteration && cpu.RIP !== address + BigInt(length);
}

function linearAddressOfRip(cpu: Cpu): bigint {
  return cpu.mode === '64-bit' ? cpu.RIP : BigInt.asUintN(32, cpu.RIP + cpu.read('CS.base'));
}
