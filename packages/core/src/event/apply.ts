// The one function that moves a state, in its two forms: inside a draft, and pure.
import { DivergenceError, PluginError, UsageError } from '../error.js';
import { executeChecked } from '../execute/execute-checked.js';
import { intrinsicOperands, outputOf } from '../execute/intrinsic-operands.js';
import { GuestFault } from '../interrupt/exceptions.js';
import { Interception } from '../interrupt/interception.js';
import { advanceTo } from '../interrupt/virtual-time.js';
import { turnAfter } from '../machine/schedule.js';
import type { MachineDefinition } from '../plugin/host.js';
import { ACTIVITY, GENERAL_REGISTERS } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';
import { DraftHost } from '../state/draft-host.js';
import type { MachineState } from '../state/machine.js';
import type { Codec } from './codec.js';
import type { EventDefinition, Payload } from './define.js';
import type { IntrinsicExecuted, MachineEvent, MemoryWritten, RegisterSet, StepsRetired } from './event.js';
import { completed, type Outcome, sealOutcome } from './outcome.js';

/** A state and how the event that led to it ended. */
export interface Applied {
  readonly state: MachineState;
  readonly outcome: Outcome;
}

const hosts = new WeakMap<MachineDefinition, DraftHost>();

/**
 * The law: state(n + 1) = apply(state(n), event). Pure: the state given is never changed, equal inputs give equal results.
 * @throws UsageError for an event that names what is not there, NotModelled for a gap, DivergenceError for steps that
 * the processor cannot take; the state is then as it was
 */
export function apply(definition: MachineDefinition, state: MachineState, event: MachineEvent): Applied {
  let host = hosts.get(definition);
  if (host === undefined) {
    host = new DraftHost(definition, state);
    hosts.set(definition, host);
  }
  host.load(state);
  try {
    const draft = host.draft();
    const outcome = applyTo(draft, event);
    draft.takeEmissions(); // nobody listens here, and they must not pile up
    return { state: host.state(), outcome };
  } catch (thrown) {
    host.discard();
    throw thrown;
  }
}

/** Applies an event inside a draft and moves its position on. */
export function applyTo(draft: MachineDraft, event: MachineEvent): Outcome {
  if (draft.memory.isCrowded) draft.memory.spill();
  const outcome = reduce(draft, event);
  draft.accesses?.deliver();
  const hazards = draft.takeHazards();
  return sealOutcome(hazards.length === 0 ? outcome : ({ ...outcome, hazards } as Outcome));
}

function reduce(draft: MachineDraft, event: MachineEvent): Outcome {
  switch (event.type) {
    case 'processor/stepsRetired':
      return retire(draft, event as StepsRetired);
    case 'processor/intrinsicExecuted':
      return single(draft, () => executeIntrinsic(draft, event as IntrinsicExecuted));
    case 'processor/registerSet':
      return single(draft, () => setRegister(draft, event as RegisterSet));
    case 'memory/written':
      return single(draft, () => writeMemory(draft, event as MemoryWritten));
    default:
      return single(draft, () => applyDefined(draft, event));
  }
}

/** An event that spans one position: nothing has happened if it throws. */
function single(draft: MachineDraft, work: () => Outcome | void): Outcome {
  const outcome = work() ?? completed();
  draft.advance(1);
  return outcome;
}

/** Runs steps; what an error leaves undone is not counted. Returns how the last step ended. */
function retire(draft: MachineDraft, { processor, steps }: StepsRetired): Outcome {
  if (!Number.isSafeInteger(steps) || steps < 1)
    throw new UsageError('BAD_STEPS', { steps }, `${steps} steps cannot be taken: 1 or more are accepted`);
  let taken = 0;
  let last = 0;
  do {
    // A device that asks for the end, PAUSE and HLT stop whoever runs the machine. That the run went on is recorded.
    draft.runner.stopRequested = false;
    last = runSteps(draft, processor, steps - taken);
    taken += last;
  } while (taken < steps && last > 0);
  if (taken < steps) {
    const { activity } = draft.cpu(processor);
    throw new DivergenceError(
      'STEPS_NOT_TAKEN',
      { processor, steps, taken, activity },
      `processor ${processor} took ${taken} of ${steps} steps: it is ${activity}`,
    );
  }
  return draft.runner.lastOutcome;
}

/** Runs up to `most` steps on a processor and returns how many it took; the draft's position and turn move with them. */
export function runSteps(draft: MachineDraft, processor: number, most: number): number {
  let taken = 0;
  draft.runner.run(processor, most, (steps) => {
    taken = steps;
    if (steps === 0) return; // no event: the turn stays where it was
    draft.advance(steps);
    // What gives its turn away lets the others' time pass: a delay in a loop with PAUSE would last for ever otherwise.
    if (draft.runner.yielded) advanceTo(draft.cpu(processor), draft.now);
    draft.turn = turnAfter(draft, processor, steps, draft.runner.yielded);
  });
  draft.accesses?.deliver();
  return taken;
}

/** The general registers before an intrinsic: they have the first slots. Kept in place, for a slice would cost as much as RDMSR. */
const keptRegisters = new Int32Array(GENERAL_REGISTERS.length * 2);

function keepGeneralRegisters({ words }: Cpu): void {
  for (let word = 0; word < keptRegisters.length; word++) keptRegisters[word] = words[word] as number;
}

function executeIntrinsic(
  draft: MachineDraft,
  { processor, intrinsic: name, operands: values }: IntrinsicExecuted,
): Outcome {
  const intrinsic = draft.definition.intrinsics.get(name);
  if (intrinsic === undefined) {
    const known = [...draft.definition.intrinsics.keys()];
    throw new UsageError(
      'UNKNOWN_INTRINSIC',
      { intrinsic: name, known },
      `this machine has no intrinsic ${name}; it has ${known.join(', ')}`,
    );
  }
  const cpu = draft.activate(processor);
  keepGeneralRegisters(cpu); // implicit inputs go there
  const operands = intrinsicOperands(cpu, name, intrinsic.shape, values);
  try {
    const outcome = executeChecked({ cpu, operands, operandWidth: cpu.codeWidth }, intrinsic.checked) ?? completed();
    const value = intrinsic.shape.result?.(cpu) ?? outputOf(operands);
    return value === undefined || !succeeded(outcome) ? outcome : ({ ...outcome, value } as Outcome);
  } catch (thrown) {
    if (thrown instanceof Interception) {
      cpu.words.set(keptRegisters);
      return thrown.take(cpu);
    }
    // The caller stands where the handler would: the exception is reported, not delivered.
    if (!(thrown instanceof GuestFault)) {
      cpu.words.set(keptRegisters); // a gap that was met before anything happened leaves the processor as it was
      throw thrown;
    }
    if (thrown.raised.address !== undefined) cpu.CR2 = thrown.raised.address;
    return thrown.raised;
  }
}

function succeeded(outcome: Outcome): boolean {
  return outcome.kind !== 'fault' && !('rule' in outcome);
}

function setRegister(draft: MachineDraft, { processor, register, value }: RegisterSet): void {
  const cpu = draft.activate(processor);
  const { width } = draft.definition.registers.register(register);
  if (BigInt.asUintN(width, value) !== value) {
    throw new UsageError(
      'BAD_REGISTER_VALUE',
      { register, value, width },
      `${register} cannot hold ${value}: it has ${width} bits`,
    );
  }
  if (register === 'activity' && ACTIVITY[Number(value)] === undefined) {
    throw new UsageError(
      'BAD_REGISTER_VALUE',
      { register, value, accepted: ACTIVITY },
      `there is no activity state ${value}: 0 to ${ACTIVITY.length - 1} are accepted`,
    );
  }
  cpu.set(register, value);
}

function writeMemory(draft: MachineDraft, { address, bytes }: MemoryWritten): void {
  draft.memory.writeBytes(address, bytes);
}

function applyDefined(draft: MachineDraft, event: MachineEvent): void {
  const definition = draft.definition.events.get(event.type);
  if (definition === undefined)
    throw new UsageError(
      'UNKNOWN_EVENT',
      { type: event.type },
      `no plugin of this machine knows the event ${event.type}`,
    );
  const { type: _, ...payload } = event as Record<string, unknown>;
  for (const [field, codec] of Object.entries(definition.payload as Record<string, Codec<unknown>>)) {
    if (!codec.accepts(payload[field])) {
      throw new UsageError(
        'BAD_EVENT_PAYLOAD',
        { type: event.type, field, value: payload[field], accepted: codec.name },
        `${event.type}: ${field} is ${String(payload[field])}, not ${codec.name}`,
      );
    }
  }
  reduceDefined(definition, draft, payload);
}

/** A reducer that throws may have changed something: that is the plugin's failure, and the state goes back. */
function reduceDefined(definition: EventDefinition, draft: MachineDraft, payload: Payload): void {
  try {
    definition.apply(draft, payload);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new PluginError(
      'PLUGIN_REDUCER',
      { type: definition.type, why },
      `the reducer of ${definition.type} failed: ${why}`,
    );
  }
}
