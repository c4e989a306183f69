// The stack as delivery and IRET use it: a stack pointer that moves over a frame while RSP stays, so that a fault leaves it;
// RSP takes the pointer when nothing can fault any more. In halves, as interrupts are frequent; other instructions have
// instruction/stack-access.ts.
import type { SegmentIndex } from '../memory/linear-memory.js';
import { wide } from '../memory/linear-memory.js';
import { carriedInto, type Halves } from '../register/halves.js';
import { slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';

const STACK: SegmentIndex = 2;
const RSP = slotOf('RSP');
const STACK_ATTRIBUTES = slotOf('SS.attributes') * 2;
const BIG = 0x4000;

/** Bits of the stack pointer: 64 in 64-bit mode, else by SS.B. */
export function stackWidth(cpu: Cpu): 16 | 32 | 64 {
  if (cpu.mode === '64-bit') return 64;
  return ((cpu.words[STACK_ATTRIBUTES] as number) & BIG) !== 0 ? 32 : 16;
}

/** A place on the stack, at first its top. */
export class StackCursor {
  readonly #cpu: Cpu;
  readonly #width: 16 | 32 | 64;
  low: number;
  high: number;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
    this.#width = stackWidth(cpu);
    const low = cpu.words[RSP * 2] as number;
    this.low = this.#width === 16 ? low & 0xffff : low;
    this.high = this.#width === 64 ? (cpu.words[RSP * 2 + 1] as number) : 0;
  }

  /** Moves up, or down by a negative number of bytes, and wraps as the stack pointer does. */
  move(bytes: number): void {
    const low = (this.low + bytes) | 0;
    if (this.#width === 64) this.high = carriedInto(this.high, this.low, bytes);
    this.low = this.#width === 16 ? low & 0xffff : low;
  }

  /** Moves down and stores there; raises #PF or #SS(0). */
  push(bytes: 2 | 4 | 8, low: number, high: number): void {
    this.move(-bytes);
    const { tlb } = this.#cpu.draft;
    const address = this.#linear(bytes, true);
    if (bytes === 4) tlb.store32(address, this.high, STACK, low);
    else if (bytes === 8) tlb.store64(address, this.high, STACK, low, high);
    else tlb.store16(address, this.high, STACK, low);
  }

  /** Loads and moves up; raises #PF or #SS(0). */
  pop(bytes: 2 | 4 | 8): Halves {
    const { tlb } = this.#cpu.draft;
    const address = this.#linear(bytes, false);
    const loaded =
      bytes === 4
        ? { low: tlb.load32(address, this.high, STACK), high: 0 }
        : bytes === 8
          ? { low: tlb.load64(address, this.high, STACK), high: wide.high }
          : { low: tlb.load16(address, this.high, STACK), high: 0 };
    this.move(bytes);
    return loaded;
  }

  /** The low half of the linear address; the high one is that of the pointer. */
  #linear(bytes: number, write: boolean): number {
    return this.#width === 64 ? this.low : this.#cpu.draft.tlb.segmented(this.low, STACK, bytes, write);
  }

  /** RSP, ESP or SP takes the place. */
  commit(): void {
    setPointer(this.#cpu, this.#width, this.low, this.high);
  }
}

/** RSP, ESP or SP takes as much of a pointer as the stack is wide. */
export function moveStackTop(cpu: Cpu, { low, high }: Halves): void {
  setPointer(cpu, stackWidth(cpu), low, high);
}

/** What is above SP stays; ESP clears the upper half. */
function setPointer(cpu: Cpu, width: 16 | 32 | 64, low: number, high: number): void {
  if (width !== 16) {
    cpu.writeWords(RSP, low, width === 64 ? high : 0);
    return;
  }
  const { words } = cpu;
  cpu.writeWords(RSP, ((words[RSP * 2] as number) & ~0xffff) | (low & 0xffff), words[RSP * 2 + 1] as number);
}
