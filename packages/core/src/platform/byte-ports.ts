// Ports of devices that have registers of one byte. The ISA bus splits a wider access: the byte at each address goes to the
// register there, the lowest first.
import type { PortRange } from '../plugin/define.js';
import type { Cpu } from '../state/cpu.js';

/** Registers of one byte at successive ports. */
export interface BytePorts {
  readonly first: number;
  readonly last: number;
  /** Returns 0 to FFH. */
  readonly read?: (cpu: Cpu, port: number) => number;
  readonly write?: (cpu: Cpu, port: number, byte: number) => void;
}

/** The range that a plugin declares for registers of one byte. What a wide access reads beyond the last one is ones. */
export function bytePorts({ first, last, read = () => 0xff, write = () => undefined }: BytePorts): PortRange {
  return {
    first,
    last,
    read: (cpu, port, bytes) => {
      let value = 0;
      for (let index = 0; index < bytes; index++)
        value += (port + index > last ? 0xff : read(cpu, port + index)) * 2 ** (index * 8);
      return value;
    },
    write: (cpu, port, value, bytes) => {
      for (let index = 0; index < bytes && port + index <= last; index++)
        write(cpu, port + index, (value >>> (index * 8)) & 0xff);
    },
  };
}
