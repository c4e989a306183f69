// `--edit LOCATION=VALUE`: a register, a bit of one, memory, or a place that a plugin names, set as a debugger would.
import {
  type Location,
  type Machine,
  type MachineDefinition,
  type Outcome,
  parseLocation,
  resolveLocation,
} from '@retrovisor/core';
import { UsageError } from '../input-error.js';

/** An edit, understood. */
export interface Edit {
  readonly location: Location;
  readonly value: bigint;
}

/** Reads an edit for a machine. @throws UsageError EDIT, or LOCATION for a place that is not there */
export function parseEdit(definition: MachineDefinition, text: string): Edit {
  const equals = text.lastIndexOf('=');
  const [place, number] = [text.slice(0, equals), text.slice(equals + 1).replaceAll('_', '')];
  if (equals < 1 || !/^(0x[0-9a-f]+|\d+)$/i.test(number)) {
    throw new UsageError(
      'EDIT',
      { edit: text },
      `--edit ${text}: LOCATION=NUMBER is expected, such as CR4.VMXE=1 or [0x1000+8]=0x10`,
    );
  }
  return { location: parseLocation(definition, place), value: BigInt(number) };
}

/** Makes an edit: an event of the machine. @throws UsageError EDIT for a value that does not fit or a place of a plugin's own state */
export function applyEdit(machine: Machine, { location, value }: Edit): Outcome {
  const { text } = location;
  const refuse = (why: string): never => {
    throw new UsageError('EDIT', { location: text, value }, `--edit ${text}: ${why}`);
  };
  const place =
    resolveLocation(machine.definition, location, machine.state) ?? refuse('there is no such place at this position');
  switch (place.kind) {
    case 'register': {
      const { processor, register, bit } = place;
      return machine
        .processor(processor)
        .set(
          register,
          bit === undefined ? value : withBit(machine.readRegister(processor, register), bit, value, refuse),
        );
    }
    case 'memory':
      if (value >> BigInt(place.bytes * 8))
        return refuse(`0x${value.toString(16)} does not fit in ${place.bytes} bytes`);
      return machine.writeMemory(place.address, littleEndian(value, place.bytes));
    case 'slice':
      return refuse('the state of a plugin follows from events; registers and memory can be edited');
  }
}

function withBit(register: bigint, bit: number, value: bigint, refuse: (why: string) => never): bigint {
  const mask = 1n << BigInt(bit);
  if (value !== 0n && value !== 1n) refuse('a bit is 0 or 1');
  return value === 1n ? register | mask : register & ~mask;
}

function littleEndian(value: bigint, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => Number((value >> BigInt(index * 8)) & 0xffn));
}
