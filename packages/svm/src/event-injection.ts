// Events that a hypervisor injects with EVENTINJ (APM, "Event Injection"): taken at the boundary before the guest's first
// instruction, before anything else, so that VMRUN and the delivery are steps of their own. And EXITINTINFO, which has the
// same format: the event whose delivery a #VMEXIT ended.
import { type BoundaryEvent, type Cpu, type Delivery, deliverEvent, isInGuestMode } from '@retrovisor/core';
import { hasFeature } from './features.js';
import { lowWord, registerSlot } from './processor-registers.js';

/** Values of TYPE, bits 10:8. */
const EVENT_TYPE = { INTR: 0, NMI: 2, exception: 3, software: 4 } as const;
const VALID = 1 << 31;
const ERROR_CODE_VALID = 1 << 11;
const BP = 3;
const OF = 4;

const TYPES: readonly (Delivery['type'] | undefined)[] = [
  'external interrupt',
  undefined,
  'NMI',
  'hardware exception',
  'software interrupt',
];

/** What an event of a VMCB asks for; its type is one that VMRUN accepts. */
function deliveryOf(low: number, errorCode: number): Delivery {
  const vector = low & 0xff;
  const type = TYPES[(low >> 8) & 7] ?? 'external interrupt';
  const isSoftware = type === 'hardware exception' && (vector === BP || vector === OF);
  return {
    type: isSoftware ? 'software exception' : type,
    vector: type === 'NMI' ? 2 : vector,
    errorCode: (low & ERROR_CODE_VALID) !== 0 ? errorCode : undefined,
    fault: false,
  };
}

/** With next-RIP save the handler returns to nRIP from what software asked for. */
function returnsToNextRip(cpu: Cpu, { type }: Delivery): boolean {
  return (type === 'software interrupt' || type === 'software exception') && hasFeature(cpu.profile, 'NRIPS');
}

export const INJECTED_EVENT: BoundaryEvent = {
  event: 'svm/injected event',
  isThere: (cpu) => isInGuestMode(cpu) && (lowWord(cpu, 'EVENTINJ') & VALID) !== 0,
  isHeld: () => false,
  take(cpu) {
    const slot = registerSlot(cpu, 'EVENTINJ');
    const delivery = deliveryOf(cpu.words[slot * 2] as number, cpu.words[slot * 2 + 1] as number);
    cpu.writeWords(slot, 0, 0);
    const nextRip = cpu.readSlot(registerSlot(cpu, 'NRIP'));
    const injected = returnsToNextRip(cpu, delivery) ? { ...delivery, returnAddress: nextRip } : delivery;
    return deliverEvent(cpu, injected) ?? { kind: 'svm/injectedEvent', type: delivery.type, vector: delivery.vector };
  },
};

/** The event that was being delivered, as EXITINTINFO tells of it. */
export function interruptInfoOf(delivering: Delivery | undefined): bigint | undefined {
  if (delivering === undefined) return undefined;
  const { type, vector, errorCode } = delivering;
  const exits: Readonly<Record<Delivery['type'], number>> = {
    'external interrupt': EVENT_TYPE.INTR,
    NMI: EVENT_TYPE.NMI,
    'hardware exception': EVENT_TYPE.exception,
    'software exception': EVENT_TYPE.exception,
    'privileged software exception': EVENT_TYPE.exception,
    'software interrupt': EVENT_TYPE.software,
  };
  const low = (VALID | (errorCode === undefined ? 0 : ERROR_CODE_VALID) | (exits[type] << 8) | vector) >>> 0;
  return (BigInt(errorCode ?? 0) << 32n) | BigInt(low);
}
