// Loads and stores of physical memory by a processor, as instructions of their own: how tests reach registers of devices.
import type { Machine } from '../../src/machine/machine.js';
import { hex } from './booted-machine.js';

const PLACE = 0x40_0000;

/** Runs one instruction on EAX and [RDI], and puts the processor back to where it was, which may be HLT. */
function access(machine: Machine, code: string, address: number, value: number): number {
  const cpu = machine.processor(0);
  const [rip, flags, activity] = [cpu.read('RIP'), cpu.read('RFLAGS'), cpu.read('activity')];
  machine.writeMemory(PLACE, Uint8Array.from(hex(code)));
  for (const [name, what] of Object.entries({ RIP: PLACE, RDI: address, RAX: value, RFLAGS: 2, activity: 0 }))
    cpu.set(name, BigInt(what >>> 0));
  cpu.step();
  const result = Number(cpu.read('RAX'));
  cpu.set('RIP', rip);
  cpu.set('RFLAGS', flags);
  cpu.set('activity', activity);
  return result;
}

/** MOV EAX, [address] */
export const load = (machine: Machine, address: number): number => access(machine, '8b 07', address, 0);
/** MOV [address], EAX */
export function store(machine: Machine, address: number, value: number): void {
  access(machine, '89 07', address, value);
}
