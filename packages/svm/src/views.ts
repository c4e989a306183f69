// Tables for people: SVM on each processor, and the VMCBs that they last worked on, field by field.
import type { MachineState, View } from '@retrovisor/core';
import { VM_CR } from './msrs.js';
import { svmProcessorIn } from './processor-registers.js';
import { VMCB_FIELDS, type VmcbField } from './vmcb.js';
import { SEGMENT_PARTS } from './vmcb-places.js';

const SVME = 1n << 12n;

/** EFER.SVME, GIF, guest mode, VM_CR, VM_HSAVE_PA and the last VMCB of each processor. */
export function svmView(state: MachineState): readonly View[] {
  const rows = state.processors.map(({ id, msrs }) => {
    const svm = svmProcessorIn(state, id);
    const vmCr = msrs['VM_CR'] ?? 0n;
    return [
      id,
      Number(((msrs['IA32_EFER'] ?? 0n) & SVME) !== 0n),
      Number(svm?.gif ?? true),
      Number(svm?.inGuest ?? false),
      Object.entries(VM_CR.bits)
        .flatMap(([name, bit]) => ((vmCr >> BigInt(bit)) & 1n ? [name] : []))
        .join(' ') || '—',
      hexadecimal(msrs['VM_HSAVE_PA'] ?? 0n),
      svm?.vmcb == null ? '—' : hexadecimal(svm.vmcb),
    ];
  });
  return [{ title: 'SVM', columns: ['processor', 'EFER.SVME', 'GIF', 'guest', 'VM_CR', 'VM_HSAVE_PA', 'VMCB'], rows }];
}

/** Every field but the reserved ones, once for each VMCB in use. */
export function vmcbView(state: MachineState): readonly View[] {
  const users = new Map<bigint, number[]>();
  for (const { id } of state.processors) {
    const vmcb = svmProcessorIn(state, id)?.vmcb;
    if (vmcb != null) users.set(vmcb, [...(users.get(vmcb) ?? []), id]);
  }
  return [...users].map(([vmcb, processors]) => ({
    title: `VMCB at ${hexadecimal(vmcb)} (processor ${processors.join(', ')})`,
    columns: ['offset', 'field', 'value'],
    rows: VMCB_FIELDS.filter(({ reserved }) => !reserved).map((field) => [
      hexadecimal(BigInt(field.offset)),
      field.name,
      shown(field, state, vmcb),
    ]),
  }));
}

function shown(field: VmcbField, state: MachineState, vmcb: bigint): string {
  const bytes = state.memory.read(vmcb + BigInt(field.offset), field.size);
  if (field.segment) return shownSegment(bytes);
  const value = littleEndian(bytes);
  return field.bits === undefined || value === 0n
    ? hexadecimal(value)
    : `${hexadecimal(value)} ${shownBits(field.bits, value)}`;
}

function shownSegment(bytes: Uint8Array): string {
  return Object.entries(SEGMENT_PARTS)
    .map(
      ([part, { offset, bytes: size }]) =>
        `${part} ${hexadecimal(littleEndian(bytes.subarray(offset, offset + size)))}`,
    )
    .join(', ');
}

/** Only what is not 0: a field of many bits stays readable. */
function shownBits(bits: Readonly<Record<string, string>>, value: bigint): string {
  return Object.entries(bits)
    .flatMap(([name, range]) => {
      const [high = 0, low = high] = range.split(':').map(Number);
      const part = BigInt.asUintN(high - low + 1, value >> BigInt(low));
      if (part === 0n) return [];
      return high === low ? [name] : [`${name}=${hexadecimal(part)}`];
    })
    .join(' ');
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

const hexadecimal = (value: bigint): string => `0x${value.toString(16)}`;
