// Machines with an interrupt descriptor table whose gates tests choose.
import type { Machine } from '../../src/machine/machine.js';
import type { MachineOptions } from '../../src/plugin/host.js';
import { hex, machineWith } from './booted-machine.js';

export const IDT = 0x20_0000;
/** An endless loop. */
export const HANDLER = 0x30_0000;

export interface GateFields {
  readonly vector: number;
  readonly selector?: number;
  readonly type?: number;
  readonly dpl?: number;
  readonly ist?: number;
  readonly present?: boolean;
  readonly offset?: number;
}

function writeGate(
  machine: Machine,
  { vector, selector = 8, type = 0xe, dpl = 0, ist = 0, present = true, offset = HANDLER }: GateFields,
): void {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, offset & 0xffff, true);
  view.setUint16(2, selector, true);
  bytes[4] = ist;
  bytes[5] = type | (dpl << 5) | (present ? 0x80 : 0);
  view.setUint16(6, offset >>> 16, true);
  machine.writeMemory(IDT + vector * 16, bytes);
}

/** A machine in 64-bit mode with an IDT whose gates are given; the handler is an endless loop. */
export function machineWithIdt(
  code: readonly number[],
  gates: readonly GateFields[],
  options: Partial<MachineOptions> = {},
): Machine {
  const machine = machineWith(code, options);
  for (let id = 0; id < machine.definition.processors; id++) {
    machine.processor(id).set('IDTR.base', BigInt(IDT));
    machine.processor(id).set('IDTR.limit', 0xfffn);
  }
  machine.writeMemory(HANDLER, Uint8Array.from(hex('eb fe')));
  for (const gate of gates) writeGate(machine, gate);
  return machine;
}
