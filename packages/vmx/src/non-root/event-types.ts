// The format that interruption information has everywhere (SDM, "Information for VM Exits Due to Vectored Events"): 7:0 vector,
// 10:8 type, 11 error code, 31 valid.
import type { Delivery, DeliveryType } from '@retrovisor/core';

/** Bits 10:8. */
const EVENT_TYPE = {
  'external interrupt': 0,
  NMI: 2,
  'hardware exception': 3,
  'software interrupt': 4,
  'privileged software exception': 5,
  'software exception': 6,
} as const satisfies Readonly<Record<DeliveryType, number>>;

/** Type 7 with vector 0: a monitor trap flag exit that pends at entry. */
export const OTHER_EVENT = 7;
export const VALID = 0x8000_0000;
export const HAS_ERROR_CODE = 0x800;

const TYPES = new Map<number, DeliveryType>(
  Object.entries(EVENT_TYPE).map(([type, number]) => [number, type as DeliveryType]),
);

export const eventTypeOf = (information: number): DeliveryType | undefined => TYPES.get((information >>> 8) & 7);

/** A valid interruption-information field, unsigned. */
export function interruptionInformation(type: DeliveryType, vector: number, hasErrorCode: boolean): number {
  return (VALID | (hasErrorCode ? HAS_ERROR_CODE : 0) | (EVENT_TYPE[type] << 8) | vector) >>> 0;
}

/** The same of an event whose delivery an exit abandons. */
export const informationOf = ({ type, vector, errorCode }: Delivery): number =>
  interruptionInformation(type, vector, errorCode !== undefined);

/** An instruction asked for the event: its length is told. */
export const isOfInstruction = (type: DeliveryType): boolean => EVENT_TYPE[type] >= EVENT_TYPE['software interrupt'];
