// The inventories of the manual's VMX tables that the package is held against: copies, so that a test needs nothing
// else.
import { readFileSync } from 'node:fs';

interface FieldEntry {
  readonly name: string;
  readonly encoding: string;
  readonly width: '16' | '32' | '64' | 'natural';
  readonly type: string;
  readonly readOnly: boolean;
  readonly index: number;
  readonly exists: string;
  readonly highEncoding: string | null;
}

interface MsrEntry {
  readonly address: string;
  readonly name: string;
  readonly existence: string;
  readonly layout: readonly { readonly bits: string; readonly meaning: string }[];
}

interface ControlEntry {
  readonly group: string;
  readonly bit: number;
  readonly name: string;
  readonly default1: boolean;
  readonly capabilityMsr: string;
  readonly trueCapabilityMsr?: string;
}

interface InstructionEntry {
  readonly id: string;
  readonly instruction: string;
  readonly order: number;
  readonly condition: string;
  readonly outcome: string;
}

interface ErrorEntry {
  readonly number: number;
  readonly reserved?: boolean;
}

interface EntryCheckEntry {
  readonly id: string;
  readonly group: string;
  readonly section: string;
  readonly result: string;
  readonly qualification?: number | string;
}

interface InterceptEntry {
  readonly id: string;
  readonly kind: 'instruction' | 'event';
  readonly name: string;
  readonly vmx: { readonly exitReason: readonly number[] } | null;
}

function entries<Entry>(file: string): readonly Entry[] {
  return JSON.parse(readFileSync(new URL(`../spec/${file}.json`, import.meta.url), 'utf8')).entries;
}

export const FIELD_ENTRIES = entries<FieldEntry>('vmcs-fields');
export const MSR_ENTRIES = entries<MsrEntry>('vmx-capability-msrs');
export const CONTROL_ENTRIES = entries<ControlEntry>('vmx-controls');
export const INSTRUCTION_ENTRIES = entries<InstructionEntry>('vmx-instructions');
export const ERROR_ENTRIES = entries<ErrorEntry>('vmx-instruction-errors');
export const ENTRY_CHECK_ENTRIES = entries<EntryCheckEntry>('vmx-entry-checks');
/** What is intercepted of a guest: instructions and events, of VMX and of SVM. */
export const INTERCEPT_ENTRIES = entries<InterceptEntry>('intercept-matrix');
