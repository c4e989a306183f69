// SDM, "x87 FPU Data Registers" and "x87 FPU Status Register": the data registers as a stack, as one instruction sees and
// changes them. Registers are written at once; FSW is written when the instruction is done (`settle`), so that an access
// to memory that faults before then leaves the unit as it was.
import type { Cpu } from '../../state/cpu.js';
import { type Extended, INDEFINITE, type Unpacked, unpacked } from '../../x87/extended.js';
import { Arithmetic, CONDITION_CODES, EXCEPTION, EXCEPTIONS, STATUS, TOP_SHIFT } from '../../x87/status.js';

const TOP_MASK = 7 << TOP_SHIFT;

/** The x87 FPU of one processor during one instruction. */
export class FloatingPointUnit {
  readonly cpu: Cpu;
  readonly arithmetic: Arithmetic;
  #top: number;
  #status: number;
  #full: number;

  constructor(cpu: Cpu) {
    this.cpu = cpu;
    this.arithmetic = new Arithmetic(Number(cpu.read('FCW')));
    this.#status = Number(cpu.read('FSW'));
    this.#top = (this.#status & TOP_MASK) >> TOP_SHIFT;
    this.#full = Number(cpu.read('FTW'));
  }

  /** The number of the data register that is ST(i). */
  #register(index: number): number {
    return (this.#top + index) & 7;
  }

  isEmpty(index: number): boolean {
    return ((this.#full >> this.#register(index)) & 1) === 0;
  }

  /** The bits of ST(i), whether it is empty or not. */
  bits(index: number): Extended {
    return this.cpu.read(`R${this.#register(index)}`);
  }

  operand(index: number): Unpacked {
    return unpacked(this.bits(index));
  }

  /** Writes ST(i), which then is not empty. */
  write(index: number, value: Extended): void {
    const register = this.#register(index);
    this.cpu.set(`R${register}`, value);
    this.#full |= 1 << register;
  }

  free(index: number): void {
    this.#full &= ~(1 << this.#register(index));
  }

  /** Adds to TOP. */
  turn(by: number): void {
    this.#top = this.#register(by);
  }

  push(value: Extended): void {
    this.turn(-1);
    this.write(0, value);
  }

  pop(count = 1): void {
    for (let popped = 0; popped < count; popped++) {
      this.free(0);
      this.turn(1);
    }
  }

  /** SDM, "Stack Overflow or Underflow Exception (#IS)": notes it, and says whether the response is the masked one. */
  stackFault(kind: 'overflow' | 'underflow'): boolean {
    this.#status |= STATUS.SF;
    this.arithmetic.roundedUp = kind === 'overflow'; // C1 tells the two apart
    return this.arithmetic.raise(EXCEPTION.IE);
  }

  /** Pushes what is loaded; the indefinite in its place if the stack is full, nothing if that is not masked. */
  load(value: () => Extended | undefined): void {
    const full = !this.isEmpty(-1);
    const loaded = full ? (this.stackFault('overflow') ? INDEFINITE : undefined) : value();
    if (loaded !== undefined) this.push(loaded);
  }

  /** The value computed from registers; the indefinite if one of them is empty, nothing if that is not masked. */
  computed(sources: readonly number[], compute: () => Extended | undefined): Extended | undefined {
    if (!sources.some((index) => this.isEmpty(index))) return compute();
    return this.stackFault('underflow') ? INDEFINITE : undefined;
  }

  /** ST(0) is replaced and a second value pushed; both are the indefinite if it is empty or there is no room. */
  replaceByTwo(compute: () => readonly [replacement: Extended, pushed: Extended] | undefined): void {
    const fault = this.isEmpty(0) ? 'underflow' : this.isEmpty(-1) ? undefined : 'overflow';
    const answer: readonly [Extended, Extended] = [INDEFINITE, INDEFINITE];
    const values = fault === undefined ? compute() : this.stackFault(fault) ? answer : undefined;
    if (values === undefined) return;
    this.write(0, values[0]);
    this.push(values[1]);
  }

  /** Sets C3, C2, C1 and C0; of those in the mask. */
  setConditions(values: number, mask = CONDITION_CODES): void {
    this.#status = (this.#status & ~mask) | values;
  }

  /** Ends an instruction that says in C1 how it rounded: what all but a few do. */
  settleRounding(): void {
    this.setConditions(this.arithmetic.roundedUp ? STATUS.C1 : 0, STATUS.C1);
    this.settle();
  }

  /** Ends an instruction: writes FSW and FTW. */
  settle(): void {
    const status = (this.#status & ~TOP_MASK) | (this.#top << TOP_SHIFT) | this.arithmetic.exceptions;
    setStatus(this.cpu, status);
    this.cpu.set('FTW', BigInt(this.#full & 0xff));
  }

  /** An exception of this instruction that is not masked. */
  get hasUnmasked(): boolean {
    return (this.arithmetic.exceptions & ~this.arithmetic.control & EXCEPTIONS) !== 0;
  }
}

/** The interrupt line that a PC connects FERR# to. */
export const FERR_LINE = 13;

/** Writes FSW; ES, and B with it, says that a flag is set whose exception FCW does not mask. */
export function setStatus(cpu: Cpu, status: number): void {
  const unmasked = status & ~Number(cpu.read('FCW')) & EXCEPTIONS;
  const summary = STATUS.ES | STATUS.B;
  if (unmasked === 0 && Number(cpu.read('FSW')) & STATUS.ES) cpu.draft.setInterruptLine(FERR_LINE, false);
  cpu.set('FSW', BigInt(unmasked === 0 ? status & ~summary : status | summary));
}
