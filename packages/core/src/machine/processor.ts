// A processor as users hold it: registers to read, intrinsics to call. The intrinsics are made from the instructions'
// declarations, those of plugins included.
import { UsageError } from '../error.js';
import type { Outcome } from '../event/outcome.js';
import type { IntrinsicsOf } from '../instruction/define.js';
import type { InstructionWithIntrinsics } from '../instruction/instructions.js';
import type { Plugin, PluginIntrinsics } from '../plugin/define.js';
import type { ProcessorState } from '../state/processor.js';
import type { Machine } from './machine.js';

type Intersection<Values> = (Values extends unknown ? (value: Values) => void : never) extends (
  value: infer Result,
) => void
  ? Result
  : never;
/** The intrinsics of the base machine. */
type BaseIntrinsics = Intersection<IntrinsicsOf<InstructionWithIntrinsics>>;

/** A processor of a machine with its plugins' intrinsics. */
export type Processor<Plugins extends readonly Plugin[] = readonly Plugin[]> = ProcessorHandle &
  BaseIntrinsics &
  PluginIntrinsics<Plugins>;

/** What every processor has, whatever the plugins. */
export class ProcessorHandle {
  readonly id: number;
  readonly #machine: Machine;

  constructor(machine: Machine, id: number) {
    this.#machine = machine;
    this.id = id;
  }

  /** The sealed state of the processor. */
  get state(): ProcessorState {
    const state = this.#machine.state.processors[this.id];
    if (state === undefined)
      throw new UsageError('UNKNOWN_PROCESSOR', { processor: this.id }, `there is no processor ${this.id}`);
    return state;
  }

  /** A register by name, MSRs included: `RAX`, `CS.base`, `IA32_PAT`. Unsigned, 64 bits. */
  read(register: string): bigint {
    return this.#machine.readRegister(this.id, register);
  }

  /** Sets a register as a debugger does: an event of its own, without the checks that an instruction has. */
  set(register: string, value: bigint): Outcome {
    return this.#machine.apply(Object.freeze({ type: 'processor/registerSet', processor: this.id, register, value }));
  }

  /** Runs up to `steps` steps of fetched instructions on this processor alone, whoever's turn it is. */
  step(steps = 1): Outcome {
    return this.#machine.step(this.id, steps);
  }
}

/** A handle with a method for each intrinsic. */
export function makeProcessor(machine: Machine, id: number): ProcessorHandle {
  const handle = new ProcessorHandle(machine, id);
  for (const name of machine.definition.intrinsics.keys()) {
    Object.defineProperty(handle, name, {
      enumerable: true,
      value: (...values: readonly (bigint | number)[]) =>
        machine.apply(
          Object.freeze({
            type: 'processor/intrinsicExecuted',
            processor: id,
            intrinsic: name,
            operands: Object.freeze(values.map((value) => asOperand(name, value))),
          }),
        ),
    });
  }
  Object.freeze(handle);
  return handle;
}

function asOperand(intrinsic: string, value: bigint | number): bigint {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return BigInt(value);
  throw new UsageError(
    'BAD_INTRINSIC_OPERANDS',
    { intrinsic, value },
    `${intrinsic} takes whole numbers or bigints, not ${String(value)}`,
  );
}
