// What follows from the registers that decide the mode, the privilege level and how addresses are translated. Control
// registers change seldom, the level at each system call: contexts are kept per level for as long as control registers stay.
import { type CodeMode, codeModeOf, modeKey } from '../execute/code-mode.js';
import type { TlbContext } from '../memory/tlb-context.js';
import { slotOf } from '../register/register-file.js';
import { RFLAGS } from '../register/rflags.js';
import type { Cpu } from './cpu.js';
import { pagingContextOf } from './paging-context.js';

/** Registers that software changes now and then, and those that change with the level. */
const SYSTEM_REGISTERS = [
  'CR0',
  'CR3',
  'CR4',
  'PDPTE0',
  'PDPTE1',
  'PDPTE2',
  'PDPTE3',
  'PKRU',
  'IA32_PKRS',
  'A20M',
  'IA32_EFER',
  'DR7',
  'guestMode',
] as const;
const LEVEL_REGISTERS = ['RFLAGS', 'CS.attributes', 'CS.base', 'CS.limit', 'SS.attributes'] as const;

/** What a register is part of; CR8 and the task-priority register are one. */
export const CONTEXT_PART = { none: 0, level: 1, system: 2, priority: 3 } as const;
const PRIORITY_REGISTERS = ['CR8', 'APIC_TPR'] as const;
const partOfSlot = new Uint8Array(
  1 + Math.max(...[...LEVEL_REGISTERS, ...SYSTEM_REGISTERS, ...PRIORITY_REGISTERS].map(slotOf)),
);
for (const name of LEVEL_REGISTERS) partOfSlot[slotOf(name)] = CONTEXT_PART.level;
for (const name of SYSTEM_REGISTERS) partOfSlot[slotOf(name)] = CONTEXT_PART.system;
for (const name of PRIORITY_REGISTERS) partOfSlot[slotOf(name)] = CONTEXT_PART.priority;

const { TF, RF, VM, AC } = RFLAGS.bits;
/** The bits of RFLAGS that count. */
export const CONTEXT_FLAGS = (1 << TF) | (1 << RF) | (1 << VM) | (1 << AC);

/** The part of the context that a write to a slot may change. */
export const contextPartOf = (slot: number): number => (slot < partOfSlot.length ? (partOfSlot[slot] as number) : 0);

const SYSTEM_WORDS = SYSTEM_REGISTERS.flatMap((name) => [slotOf(name) * 2, slotOf(name) * 2 + 1]);
const FLAGS = slotOf('RFLAGS') * 2;
const CODE_ATTRIBUTES = slotOf('CS.attributes') * 2;
const STACK_ATTRIBUTES = slotOf('SS.attributes') * 2;
const LEVELS = 128;

/** One context of a processor. */
export interface ProcessorContext {
  readonly paging: TlbContext;
  /** For what the processor accesses by itself (SDM, "Access Rights"): CPL does not count, nor does RFLAGS.AC lift SMAP. */
  readonly implicit: TlbContext;
  readonly code: CodeMode;
}

/** SS.DPL and SS.B, CS.L and CS.D, RFLAGS.VM and RFLAGS.AC as one number. */
function levelOf(words: Int32Array): number {
  const stack = words[STACK_ATTRIBUTES] as number;
  return (
    ((stack >> 5) & 3) |
    ((stack >> 12) & 4) |
    (((words[CODE_ATTRIBUTES] as number) >> 10) & 0x18) |
    (((words[FLAGS] as number) >> (RFLAGS.bits.VM - 5)) & 0x60)
  );
}

/** The contexts of one draft's current processor. */
export class ProcessorContexts {
  readonly #system = new Int32Array(SYSTEM_WORDS.length);
  #levels: (ProcessorContext | undefined)[] = new Array(LEVELS);

  /** Whether a control register has another value than when it was last asked. */
  systemChanged({ words }: Cpu): boolean {
    let changed = false;
    for (let index = 0; index < SYSTEM_WORDS.length; index++) {
      const value = words[SYSTEM_WORDS[index] as number] as number;
      if (value === this.#system[index]) continue;
      this.#system[index] = value;
      changed = true;
    }
    if (changed) this.#levels = new Array(LEVELS);
    return changed;
  }

  /** What was kept depends on more than the registers. */
  forget(cpu: Cpu): void {
    this.systemChanged(cpu);
    this.#levels = new Array(LEVELS);
  }

  /** The context of the processor as its registers stand. */
  of(cpu: Cpu): ProcessorContext {
    const level = levelOf(cpu.words);
    return this.#levels[level] ?? this.#make(cpu, level);
  }

  #make(cpu: Cpu, level: number): ProcessorContext {
    const paging = pagingContextOf(cpu);
    const implicit = { ...paging, user: false, smap: cpu.CR4.SMAP };
    const context = { paging, implicit, code: codeModeIn(cpu) };
    this.#levels[level] = context;
    return context;
  }
}

/** Code and stack width follow from CS and SS. */
function codeModeIn(cpu: Cpu): CodeMode {
  const { codeWidth } = cpu;
  const wide64 = codeWidth === 64;
  const stackWidth = wide64 ? 64 : ((cpu.words[STACK_ATTRIBUTES] as number) & 0x4000) !== 0 ? 32 : 16;
  const user = cpu.CPL === 3; // pages that may be executed differ: a block of one level is not found at the other
  return codeModeOf(modeKey(codeWidth, stackWidth, user, wide64 && cpu.CR4.LA57));
}
