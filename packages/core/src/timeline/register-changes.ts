// Steps with the registers that each changed: what an instruction trace prints. Left out: what the processor counts and
// remembers for itself, such as its cycles.
import type { EventLog } from '../machine/log.js';
import type { MachineDefinition } from '../plugin/host.js';
import type { PlacedRegister } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';
import { DraftHost } from '../state/draft-host.js';
import type { MachineState } from '../state/machine.js';
import { type Step, singleSteps, takeStep } from './step.js';

/** A register that a step changed, as it was afterwards. */
export interface RegisterChange {
  readonly register: string;
  readonly value: bigint;
}

/** A step and what it did to the registers of its processor. RIP is not among them: the next step tells. */
export interface ChangedStep {
  readonly step: Step;
  readonly changes: readonly RegisterChange[];
}

/** Replays a log from a state up to a position, step by step. */
export function* stepsWithChanges(
  definition: MachineDefinition,
  log: EventLog,
  from: MachineState,
  to: number,
): IterableIterator<ChangedStep> {
  const host = new DraftHost(definition, from);
  const shown = definition.registers.rows.filter(({ group, name }) => group !== 'internal' && name !== 'RIP');
  try {
    for (const { position, event } of singleSteps(log, from.position, to)) {
      const draft = host.draft();
      const processor = 'processor' in event ? (event.processor as number) : undefined;
      const before = processor === undefined ? undefined : settledWords(draft.activate(processor));
      const step = takeStep(draft, event, position);
      const cpu = processor === undefined ? undefined : draft.cpu(processor);
      yield { step, changes: before === undefined || cpu === undefined ? [] : changesOf(shown, before, cpu) };
    }
  } finally {
    host.abandon();
  }
}

/** Pending flags are in no word yet. */
function settledWords(cpu: Cpu): Int32Array {
  cpu.draft.settleFlags(cpu);
  return cpu.words.slice();
}

function changesOf(rows: readonly PlacedRegister[], before: Int32Array, cpu: Cpu): readonly RegisterChange[] {
  cpu.draft.settleFlags(cpu);
  const { words } = cpu;
  return rows
    .filter(({ slot, width }) => {
      const end = slot * 2 + (width > 64 ? 4 : 2);
      for (let word = slot * 2; word < end; word++) if (words[word] !== before[word]) return true;
      return false;
    })
    .map(({ name }) => ({ register: name, value: cpu.read(name) }));
}
