// Whether an event is one that a machine knows and its payload what its codecs accept: asked before it is written and
// after it was read.
import { bytes, type Codec, count, text } from '../event/codec.js';
import type { CoreEvent, MachineEvent } from '../event/event.js';
import type { MachineDefinition } from '../plugin/host.js';
import { describeFound } from './found.js';

/** What is wrong with an event. */
export interface EventFault {
  readonly code: 'UNKNOWN_EVENT' | 'BAD_EVENT_PAYLOAD';
  readonly details: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** Far wider than any register: so that no single operand can be longer than a chunk. */
const INTEGER_BITS = 1024;
const integer: Codec<bigint> = {
  name: `integer of ${INTEGER_BITS} bits`,
  accepts: (value): value is bigint => typeof value === 'bigint' && BigInt.asIntN(INTEGER_BITS, value) === value,
};
const integers: Codec<readonly bigint[]> = {
  name: `integers of ${INTEGER_BITS} bits`,
  accepts: (value): value is readonly bigint[] => Array.isArray(value) && value.every((item) => integer.accepts(item)),
};
const steps: Codec<number> = {
  name: 'count from 1',
  accepts: (value): value is number => count.accepts(value) && value > 0,
};

/** The payloads of core's own events (event/event.ts). */
const CORE_PAYLOADS: Readonly<Record<CoreEvent['type'], Readonly<Record<string, Codec<unknown>>>>> = {
  'processor/stepsRetired': { processor: count, steps },
  'processor/intrinsicExecuted': { processor: count, intrinsic: text, operands: integers },
  'processor/registerSet': { processor: count, register: text, value: integer },
  'memory/written': { address: count, bytes },
};

type Fields = readonly (readonly [field: string, codec: Codec<unknown>])[];

/** The fields of each event that a machine knows; asked for with every event, so that they are listed once. */
const fieldsByDefinition = new WeakMap<MachineDefinition, ReadonlyMap<string, Fields>>();

function fieldsOf(definition: MachineDefinition): ReadonlyMap<string, Fields> {
  let fields = fieldsByDefinition.get(definition);
  if (fields === undefined) {
    const defined = [...definition.events.values()].map(
      ({ type, payload }) => [type, Object.entries(payload) as Fields] as const,
    );
    fields = new Map([
      ...defined,
      ...Object.entries(CORE_PAYLOADS).map(([type, payload]) => [type, Object.entries(payload)] as const),
    ]);
    fieldsByDefinition.set(definition, fields);
  }
  return fields;
}

/** What is wrong with an event for this machine; undefined if nothing is. */
export function faultOfEvent(definition: MachineDefinition, event: MachineEvent): EventFault | undefined {
  const known = fieldsOf(definition);
  const fields = known.get(event.type);
  if (fields === undefined) return unknownEvent(definition, event.type, [...known.keys()]);
  const payload = event as Readonly<Record<string, unknown>>;
  for (const [field, codec] of fields) if (!codec.accepts(payload[field])) return badField(payload, field, codec.name);
  const added = Object.keys(event).find((name) => name !== 'type' && !fields.some(([field]) => field === name));
  return added === undefined ? faultOfNames(definition, payload) : badField(payload, added, 'no such field');
}

/** Processors, intrinsics and registers that the machine does not have. */
function faultOfNames(definition: MachineDefinition, event: Readonly<Record<string, unknown>>): EventFault | undefined {
  const { type, processor, intrinsic, register } = event;
  if (typeof type !== 'string' || !(type in CORE_PAYLOADS)) return undefined;
  if (processor !== undefined && (processor as number) >= definition.processors) {
    return badField(event, 'processor', `a processor up to ${definition.processors - 1}`);
  }
  if (intrinsic !== undefined && !definition.intrinsics.has(intrinsic as string)) {
    return badField(event, 'intrinsic', 'an intrinsic of this machine and its plugins');
  }
  if (register !== undefined && !definition.registers.slots.has(register as string)) {
    return badField(event, 'register', 'a register of this machine and its plugins');
  }
  return undefined;
}

function unknownEvent({ plugins }: MachineDefinition, type: string, known: readonly string[]): EventFault {
  const names = plugins.map(({ name }) => name);
  const message = `no plugin of this machine knows the event ${describeFound(type)}; its plugins are ${names.join(', ') || 'none'}`;
  return { code: 'UNKNOWN_EVENT', details: { type, known, plugins: names }, message };
}

function badField(event: Readonly<Record<string, unknown>>, field: string, accepted: string): EventFault {
  const value = event[field];
  const message = `${String(event['type'])}: ${field} is ${describeFound(value)}, not ${accepted}`;
  return { code: 'BAD_EVENT_PAYLOAD', details: { type: event['type'], field, value, accepted }, message };
}
