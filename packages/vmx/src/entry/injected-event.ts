// The VM-entry interruption-information field (SDM, "VM-Entry Controls for Event Injection"): 7:0 vector, 10:8 type,
// 11 deliver error code, 13 nested exception (FRED), 31 valid.
import { fieldNamed } from '../fields.js';
import type { EntryState } from './entry-state.js';

export const INTERRUPTION_INFORMATION = fieldNamed('VM-entry interruption-information field');

/** Bits 10:8. */
export const EVENT_TYPE = {
  externalInterrupt: 0,
  reserved: 1,
  nmi: 2,
  hardwareException: 3,
  softwareInterrupt: 4,
  privilegedSoftwareException: 5,
  softwareException: 6,
  otherEvent: 7,
} as const;

/** What an entry injects. */
export interface InjectedEvent {
  readonly vector: number;
  readonly type: number;
  readonly deliversErrorCode: boolean;
  readonly isNested: boolean;
}

const VALID = 0x8000_0000;

export function injectsEvent(state: Pick<EntryState, 'word'>): boolean {
  return (state.word(INTERRUPTION_INFORMATION) & VALID) !== 0;
}

/** The event in the field, valid or not. */
export function injectedEvent(state: Pick<EntryState, 'word'>): InjectedEvent {
  const information = state.word(INTERRUPTION_INFORMATION);
  return {
    vector: information & 0xff,
    type: (information >>> 8) & 7,
    deliversErrorCode: (information & 0x800) !== 0,
    isNested: (information & 0x2000) !== 0,
  };
}

/** Whether an event of one type is injected. */
export function injects(state: Pick<EntryState, 'word'>, type: keyof typeof EVENT_TYPE): boolean {
  return injectsEvent(state) && injectedEvent(state).type === EVENT_TYPE[type];
}
